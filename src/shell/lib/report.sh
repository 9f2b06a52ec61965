S=$ROOT/run/pulumi-lvs E=$ROOT/etc/pulumi-lvs
# The link by which systemd runs E/restore at boot.
W=$ROOT/etc/systemd/system/multi-user.target.wants/pulumi-lvs.service
say() { printf '%s %s\n' "$N" "$*"; }
text() { printf '%s\n' "$1" | while IFS= read -r line; do say "text $line"; done; }
# fact NAME COMMAND...: prints the output of the command with its length, so that lost or mixed-in output is detected.
fact() {
  say "fact $1"
  shift
  # A script that only reads starts nothing after its timeout. One that has changed something must read the result.
  if [ -n "$late" ] && [ -n "$looks" ]; then
    printf '\n'
    say "error 124"
    return
  fi
  out=$(
    "$@" 2>/dev/null
    rc=$?
    printf .
    exit $rc
  )
  rc=$? out=${out%.}
  printf '%s\n' "$out"
  if [ $rc = 0 ]; then say "end ${#out}"; else
    say "error $rc"
    # A command that hung would hang again.
    [ -n "$late" ] || text "$("$@" 2>&1 >/dev/null)"
  fi
}
