S=$ROOT/run/pulumi-lvs E=$ROOT/etc/pulumi-lvs K=$ROOT/etc/keepalived
# The link by which systemd runs E/restore at boot.
W=$ROOT/etc/systemd/system/multi-user.target.wants/pulumi-lvs.service
print_line() { printf '%s %s\n' "$N" "$*"; }
text() { printf '%s\n' "$1" | while IFS= read -r line; do print_line "text $line"; done; }
# at_once COMMAND...: sets $out to what the command prints if that needs no process, or one. Returns 1 otherwise.
at_once() {
  out=
  case $1 in
    # A script looks at all processes once. If a program starts meanwhile, the next script is refused.
    read_conflicts)
      [ -n "$has_looked" ] || find_conflicts
      has_looked=1 out=$running
      ;;
    read_table | read_timeouts | read_daemons | read_connections) [ ! -e "$ROOT/proc/net/ip_vs" ] ;;
    read_ledger) find_ledger 2>/dev/null ;;
    read_draining | read_drained | read_health) [ ! -e "$S/${1#read_}" ] ;;
    read_reasons) [ ! -e "$S/health" ] ;;
    read_found) [ ! -e "$S/$2/found" ] ;;
    read_vrrp) [ ! -e "$K/pulumi-lvs.d/$2.conf" ] ;;
    read_sysctl) [ ! -e "$ROOT/proc/sys/$2" ] ;;
    *) return 1 ;;
  esac
}
# observe COMMAND...: sets $out to what the command prints, with one newline at the end. Returns its code, which shows
# whether the output is whole. The command runs in a subshell, and a program that it ends with takes the place of that.
observe() {
  at_once "$@" && return
  out=$("$@" 2>/dev/null)
  rc=$?
  [ -z "$out" ] || out="$out
"
  return $rc
}
# fact NAME COMMAND...: prints the output of the command with its length, so that lost or mixed-in output is detected.
fact() {
  print_line "fact $1"
  shift
  # A script that only reads starts nothing after its timeout. One that has changed something must read the result.
  if [ -n "$timed_out" ] && [ -n "$only_reads" ]; then
    printf '\n'
    print_line "error $NOT_BEGUN"
    return
  fi
  observe "$@"
  rc=$?
  printf '%s\n' "$out"
  if [ $rc = 0 ]; then print_line "end ${#out}"; else
    print_line "error $rc"
    # A command that hung would hang again. The inner subshell lets the outer one print that a program was killed.
    [ -n "$timed_out" ] || text "$({ ("$@") || :; } 2>&1 >/dev/null)"
  fi
}
