# run_round: runs one round. A check that was killed, or that gives a reason, has failed. Any other end, such as no
# free process for the shell, proves nothing about the server: result and counts stay.
run_round() {
  why=$(check_server)
  rc=$?
  [ $rc -le 128 ] || [ $rc -gt 192 ] || { why=${why:-the check ended with $rc} rc=1; }
  [ $rc != 1 ] || [ -n "$why" ] || rc=$NOT_CHECKED
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
    *) [ "$blind" = "$why" ] || put_result "blind${result:+-$result}" "$why" ;;
  esac
}
# found STATE REASON COUNT LIMIT: reports the state once COUNT reaches LIMIT.
found() {
  if [ "$result" != "$1" ] && [ "$3" -ge "$4" ]; then
    put_result "$1" "$2"
    return
  fi
  [ -n "$blind" ] || return 0
  [ "$result" != "$1" ] || because=$2
  put_result "$result" "$because"
}
# repeat_check NUMBER: runs a round at each interval as long as the supervisor lives. A batch of before may write its
# last result late: then the counts begin again.
repeat_check() {
  kept=
  while kill -0 "$supervisor" 2>/dev/null; do
    { IFS= read -r line <"$S/checks/$1" && [ "$line" = "$kept" ]; } 2>/dev/null || read_check "$1"
    sleep "${CHECK_SECONDS:-$interval}" &
    sleep_pid=$!
    run_round
    wait $sleep_pid
  done
}
# check_once NUMBER: runs up to $fall rounds without pauses.
check_once() {
  supervisor=
  read_check "$1"
  result= tries=$fall rise=1
  while [ $tries -gt 0 ] && [ -z "$result" ]; do
    run_round
    tries=$((tries - 1))
  done
}
