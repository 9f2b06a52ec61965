# check NUMBER: its words are in its file
check() {
  n=$1
  IFS= read -r line <"$S/checks/$n" || exit
  spec=${line#*"$tab"}
  verdict=${spec%%"$tab"*}
  spec=${spec#*"$tab"}
  said=${spec%%"$tab"*}
  spec=${spec#*"$tab"}
  # one that the judge does not take is found anew
  [ "$(one_line "$said")" = "$said" ] || verdict= said=
  blind= because=
  case $verdict in
    up | down) because=$said ;;
    blind*)
      blind=$said verdict=${verdict#blind} verdict=${verdict#-}
      case $verdict in up | down) ;; *) verdict= ;; esac
      ;;
    *) verdict= ;;
  esac
  parse "$spec"
  # a command may ignore the signal that timeout sends first, and not every timeout knows a second one
  then_kill=
  [ "$type" != command ] || ! timeout -k 1 1 true 2>/dev/null || then_kill='-k 1'
  good=0 bad=0 mute=
}
# one round. One that is killed in the middle has failed, and so has one that says why. Any other end, such as the
# shell's without a process to be had, says nothing on the server: what was found out so far stays, and what was
# counted too.
conclude() {
  why=$(ask)
  rc=$?
  [ $rc -le 128 ] || [ $rc -gt 192 ] || { why=${why:-the check ended with $rc} rc=1; }
  [ $rc != 1 ] || [ -n "$why" ] || rc=3
  [ $rc = 0 ] || why=$(one_line "${why:-the check ended with $rc}")
  case $rc in
    0)
      good=$((good + 1)) bad=0
      found up '' "$good" "$rise"
      ;;
    1)
      good=0 bad=$((bad + 1))
      found down "$why" "$bad" "$fall"
      ;;
    *) [ "$blind" = "$why" ] || pronounce "blind${verdict:+-$verdict}" "$why" ;;
  esac
}
# found STATE REASON COUNT LIMIT
found() {
  if [ "$verdict" != "$1" ] && [ "$3" -ge "$4" ]; then
    pronounce "$1" "$2"
    return
  fi
  [ -n "$blind" ] || return 0
  [ "$verdict" != "$1" ] || because=$2
  pronounce "$verdict" "$because"
}
# pronounce STATE REASON: up or down; blind, blind-up or blind-down where it cannot be checked now, with what was
# found last; or nothing yet
pronounce() {
  { printf 'verdict\t%s\t%s\t%s\n' "$1" "$2" "$spec" >"$S/checks/.$n"; } 2>/dev/null &&
    mv "$S/checks/.$n" "$S/checks/$n" || {
    rm -f "$S/checks/.$n" 2>/dev/null
    # the next round says it again; the journal hears it once
    [ -n "$mute" ] || printf '%s\n' "$S/checks/$n: cannot be written: $address:$port is ${1:-unknown}" >&2
    mute=1
    return
  }
  mute=
  case $1 in
    blind*)
      blind=$2
      printf '%s\n' "$address:$port cannot be checked: $2" >&2
      ;;
    *)
      [ -z "$blind" ] || printf '%s\n' "$address:$port is checked again" >&2
      verdict=$1 because=$2 blind=
      ;;
  esac
  [ -z "$supervisor" ] || wake
}
watch() {
  check "$1"
  while kill -0 "$supervisor" 2>/dev/null; do
    sleep "$interval" &
    nap=$!
    conclude
    wait $nap
  done
}
# so many tries, without pauses
judge_once() {
  supervisor=
  check "$1"
  verdict= tries=$fall rise=1
  while [ $tries -gt 0 ] && [ -z "$verdict" ]; do
    conclude
    tries=$((tries - 1))
  done
}
