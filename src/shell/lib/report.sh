S=/run/pulumi-lvs E=/etc/pulumi-lvs
# what has systemd run E/restore at boot
W=/etc/systemd/system/multi-user.target.wants/pulumi-lvs.service
say() { printf '%s %s\n' "$N" "$*"; }
text() { printf '%s\n' "$1" | while IFS= read -r line; do say "text $line"; done; }
# with its length, so that whatever else is written in between, or lost, is noticed
fact() {
  say "fact $1"
  shift
  # what only looks begins nothing more once it is late; what has acted must see what came of it
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
    # what hung would hang again
    [ -n "$late" ] || text "$("$@" 2>&1 >/dev/null)"
  fi
}
