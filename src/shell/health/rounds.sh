# read_check NUMBER: reads the file of the check.
read_check() {
  n=$1
  IFS= read -r line <"$S/checks/$n" || exit
  kept=$line
  spec=${line#*"$tab"}
  verdict=${spec%%"$tab"*}
  spec=${spec#*"$tab"}
  said=${spec%%"$tab"*}
  spec=${spec#*"$tab"}
  # A result that the evaluation would refuse counts as none.
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
  # A command may ignore the first signal of timeout. Not every timeout can send a second one.
  then_kill=
  [ "$type" != command ] || ! timeout -k 1 1 true 2>/dev/null || then_kill='-k 1'
  good=0 bad=0 mute=
}
# run_round: runs one round. A check that was killed, or that gives a reason, has failed. Any other end, such as no
# free process for the shell, says nothing about the server: result and counts stay.
run_round() {
  why=$(check_server)
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
    *) [ "$blind" = "$why" ] || put_verdict "blind${verdict:+-$verdict}" "$why" ;;
  esac
}
# found STATE REASON COUNT LIMIT: reports the state once COUNT reaches LIMIT.
found() {
  if [ "$verdict" != "$1" ] && [ "$3" -ge "$4" ]; then
    put_verdict "$1" "$2"
    return
  fi
  [ -n "$blind" ] || return 0
  [ "$verdict" != "$1" ] || because=$2
  put_verdict "$verdict" "$because"
}
# put_verdict STATE REASON: writes the result: up, down, or empty for none yet. If the check cannot run now, STATE is
# blind, or blind-up or blind-down with the last result.
put_verdict() {
  write_text "$S/checks/.$n" "verdict$tab$1$tab$2$tab$spec" &&
    mv "$S/checks/.$n" "$S/checks/$n" || {
    rm -f "$S/checks/.$n" 2>/dev/null
    # The next round tries again. The journal gets the message once.
    [ -n "$mute" ] || printf '%s\n' "$S/checks/$n: cannot be written: $address:$port is ${1:-unknown}" >&2
    mute=1
    return
  }
  mute= kept="verdict$tab$1$tab$2$tab$spec"
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
# repeat_check NUMBER: runs a round at each interval as long as the supervisor lives. A batch of before may write its
# last result late: then the counts begin again.
repeat_check() {
  kept=
  while kill -0 "$supervisor" 2>/dev/null; do
    { IFS= read -r line <"$S/checks/$1" && [ "$line" = "$kept" ]; } 2>/dev/null || read_check "$1"
    sleep "${CHECK_SECONDS:-$interval}" &
    nap=$!
    run_round
    wait $nap
  done
}
# check_once NUMBER: runs up to $fall rounds without pauses.
check_once() {
  supervisor=
  read_check "$1"
  verdict= tries=$fall rise=1
  while [ $tries -gt 0 ] && [ -z "$verdict" ]; do
    run_round
    tries=$((tries - 1))
  done
}
