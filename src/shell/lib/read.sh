# has TOOL: returns 0 if the host has the tool. Otherwise prints a line, and returns NO_TOOL. In a script that reports
# the line has a token that names the tool (missingTool of errors.ts). Agents and the restore print for people.
has() { command -v "$1" >/dev/null || {
  printf '%s\n' "$1: not found${N:+ [lvs-no-tool $1]}" >&2
  return "$NO_TOOL"
}; }
# Without the module the table is empty, and ipvsadm would load the module. Functions that read run in a subshell, and
# exec saves a process there.
list_ipvs() { [ ! -e "$ROOT/proc/net/ip_vs" ] || { has ipvsadm && exec ipvsadm "$@"; }; }
read_ipvs() { list_ipvs -Sn; }
# read_table: prints the table and, behind it, the thresholds, which the first list hides. Each line of a restore is
# treated as a separate invocation of ipvsadm (ipvsadm(8)), so one process prints both, and fails if one of them fails.
read_table() {
  list_ipvs --restore <<LISTS
-Sn
-Ln --thresholds
LISTS
}
read_timeouts() { list_ipvs -Ln --timeout; }
read_daemons() { list_ipvs -Ln --daemon; }
# is_probing: returns 0 if duplicate address detection runs for an address of $out. Without a carrier it does not end.
is_probing() {
  case $out in *'"tentative":true'*) ;; *) return 1 ;; esac
  probing=$(ip -o -6 addr show up tentative -dadfailed | while read -r _ device _; do
    read -r carrier <"$ROOT/sys/class/net/${device%%@*}/carrier" && [ "$carrier" = 0 ] || printf '%s ' "$device"
  done 2>/dev/null)
  [ -n "$probing" ]
}
read_addresses() {
  has ip && out=$(ip -j addr show) || return
  rounds=5
  while [ $rounds -gt 0 ] && is_probing; do
    sleep "$ROUND_SECONDS"
    rounds=$((rounds - 1)) out=$(ip -j addr show) || return
  done
  printf '%s\n' "$out"
}
# A table without routes does not exist, and ip reports an error for it. Any other error is passed on.
read_routes() {
  has ip || return
  if out=$(ip -j "-$1" route show table "$2" 2>/dev/null); then
    printf '%s\n' "$out"
    return
  fi
  case $(ip -j "-$1" route show table "$2" 2>&1) in
    *'table does not exist'*) echo '[]' ;;
    *) ip -j "-$1" route show table "$2" ;;
  esac
}
# Uses cat, because dash reads one byte at a time, and a sysctl returns only the first byte of such reads.
read_sysctl() { [ ! -e "$ROOT/proc/sys/$1" ] || exec cat "$ROOT/proc/sys/$1"; }
# read_found CLAIM: prints the value of a setting before its first claim.
read_found() {
  [ -e "$S/$1/found" ] || return 0
  while IFS= read -r line; do printf '%s\n' "$line"; done <"$S/$1/found"
}
read_module() {
  if [ -d "$ROOT/sys/module/$1" ]; then echo loaded; else
    echo absent
    return 0
  fi
  for f in "$ROOT/sys/module/$1/parameters/"*; do
    [ ! -r "$f" ] || printf '%s=%s\n' "$(basename "$f")" "$(cat "$f")"
  done
}

# includes_vrrp: returns 0 if the main file of keepalived includes ours.
includes_vrrp() { grep -qxF "include $K/pulumi-lvs.d/*.conf" "$K/keepalived.conf" 2>/dev/null; }
# read_vrrp NAME: prints whether keepalived runs by the file of an instance, and whether it is held, then the file.
read_vrrp() {
  [ -e "$K/pulumi-lvs.d/$1.conf" ] || return 0
  state=running
  includes_vrrp || state='left out'
  [ "$state" != running ] || systemctl is-enabled -q keepalived.service || state=disabled
  case $(systemctl is-active keepalived.service) in
    active | reloading) ;;
    *) [ "$state" = 'left out' ] || state=stopped ;;
  esac
  printf '%s\n' "$state"
  [ ! -s "$S-hold-$1" ] || echo held
  exec cat "$K/pulumi-lvs.d/$1.conf"
}

# find_ledger: sets $out to whether the restore is installed, the records that survive a reboot, and those that last
# until it.
find_ledger() {
  out=
  [ -e "$S/boot" ] || [ -e "$E/boot" ] || return 0
  lasting= passing=
  [ ! -e "$E/boot" ] || lasting=$(exec cat "$E/boot") || return
  [ ! -e "$S/boot" ] || passing=$(exec cat "$S/boot") || return
  [ ! -e "$E/restore" ] || [ ! -e "$W" ] || out="restored
"
  out="$out--
$lasting
--
$passing
"
}
read_ledger() { find_ledger && printf '%s' "$out"; }
read_draining() { read_lines draining; }
read_drained() { read_lines drained; }
read_lines() { [ ! -e "$S/$1" ] || exec cat "$S/$1"; }
# These two change all the time, so they are not part of the digest of facts.
read_connections() { [ ! -e "$ROOT/proc/net/ip_vs" ] || { has ipvsadm && exec ipvsadm -Ln --persistent-conn; }; }
read_clock() { exec date +%s; }
