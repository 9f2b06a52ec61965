# can_batch: returns 0 if this curl reports how each of many transfers ended. Sets curl_version.
can_batch() {
  curl_version=$(curl -q -V 2>/dev/null) || curl_version=
  curl_version=${curl_version%%"$nl"*} curl_version=${curl_version#curl } curl_version=${curl_version%% *}
  minor=${curl_version#*.} minor=${minor%%[!0-9]*}
  case $curl_version in
    7.*) is_number "$minor" && [ "$minor" -ge 75 ] ;;
    [89].* | [1-9][0-9]*.*) ;;
    *) return 1 ;;
  esac
}
# batch FILE INTERVAL TRIES NUMBER...: checks these servers by one curl a round, as long as the file exists. Its awk
# counts and evaluates each line as it comes.
batch() {
  file=$1 interval=$2 tries=$3
  shift 3
  for n; do
    set -- "$@" "$C/$n"
    shift
  done
  # mawk waits for 4096 bytes. If it does not wait, it reads memory of its own after a page without a line break.
  mawk= form=%s
  case $(awk -W version 2>&1 </dev/null) in mawk*) mawk=1 form=%4095s ;; esac
  batch_rounds |
    token=$token awk ${mawk:+-W interactive} -v DIR="$C" -v SERIAL="$$-$serial" -v FORM="$form" "$lines_awk" |
    token=$token awk -v ONCE="$once" -v DIR="$C" -v SERIAL="$$-$serial" -v FILE="$file" -v NOT_CHECKED="$NOT_CHECKED" \
      "$results_awk" from=check "$@" from=lines - |
    publish
}
# batch_rounds: prints a line for the start of a round, for each check as it ends, and for the end of the round. The
# next round uses the same files of pages, so it waits until this one is evaluated. If that takes too long, or if no
# process reads the lines, the batch ends. The next tick of the agent plans another.
batch_rounds() {
  # A longer page ends its own transfer, not curl.
  trap '' XFSZ
  ulimit -f 2048
  round=0 again= sleep_pid=
  while is_wanted; do
    round=$((round + 1))
    [ -n "$again" ] || {
      [ -n "$once" ] || {
        # The reader of the lines does not wait for a sleep.
        sleep "${CHECK_SECONDS:-$interval}" >/dev/null &
        sleep_pid=$!
      }
      tries=$((tries - 1))
      printf '%s begin\n' "$token" 2>/dev/null || return
    }
    again= config=$file code=127 why='curl: not found' ending="end $round"
    [ ! -e "$file.now" ] || config=$file.now
    # The shell remembers where curl was.
    hash -r
    if command -v curl >/dev/null; then
      curl -q -s -Z --no-progress-meter --parallel-immediate --parallel-max 300 -K "$config" 2>&1 >/dev/null </dev/null
      code=$?
      why="curl ended with $code"
    fi
    # A curl that cannot be started proves nothing about the servers.
    case $code in 126 | 127) ending="none $round $why" ;; esac
    printf '%s %s\n' "$token" "$ending" 2>/dev/null || return
    # After a critical error of one check, awk requests the others at once.
    case $code in 2 | 27 | 4[1238]) ;; *) finish_sleep ;; esac
    queries=0
    until is_done || ! is_wanted; do
      sleep "$LOOK_SECONDS" || sleep "$ROUND_SECONDS"
      queries=$((queries + 1))
      [ $queries -le 300 ] && printf '%s query %d\n' "$token" $round || return
    done 2>/dev/null
    [ -z "$again" ] || continue
    finish_sleep
    [ -z "$once" ] || { [ -s "$file.now" ] && [ "$tries" -gt 0 ]; } || return 0
  done
}
finish_sleep() {
  [ -z "$sleep_pid" ] || wait "$sleep_pid"
  sleep_pid=
}
is_wanted() { [ -e "$file" ] && { [ -z "$supervisor" ] || kill -0 "$supervisor" 2>/dev/null; }; }
is_done() {
  IFS= read -r line <"$file.done" || return
  case $line in "done $round") ;; "again $round") again=1 ;; *) return 1 ;; esac
}
# explain_one PROCESS NUMBER: finds out whether the director had no port for a connection that failed. Writes it to the
# standard input of that process, if it has not ended.
explain_one() {
  pid=$1
  read_check "$2"
  no_socket || complained=
  printf '%s explained %d %.300s\n' "$token" "$2" "$complained" >"/proc/$pid/fd/0"
} 2>/dev/null
# publish: writes the changed results. For each one that cannot be written the journal gets one message. Finds out why
# connections failed in the background, so that one slow server delays no other.
publish() {
  muted=' '
  while IFS= read -r line; do
    case $line in
      explain*)
        # shellcheck disable=SC2086 # words
        explain_one ${line#explain } &
        continue
        ;;
      apart)
        write_text "$file.apart" "$line"
        continue
        ;;
      alone*)
        [ -e "$file.${line#alone }.alone" ] || write_text "$file.${line#alone }.alone" "$line"
        continue
        ;;
      done* | again*)
        write_text "$file.done" "$line"
        continue
        ;;
    esac
    n=${line%%:*} state=${line#*:} spec=${line#*"$tab"}
    why=${state#*:} state=${state%%:*} address=${spec#address=} port=${spec#*"$tab"port=}
    why=${why%%"$tab"*} address=${address%%"$tab"*} port=${port%%"$tab"*} blind= mute=
    IFS= read -r old <"$C/$n" && [ "${old#result"$tab"*"$tab"*"$tab"}" = "$spec" ] || continue
    [ "$old" != "result$tab$state$tab$why$tab$spec" ] || continue
    case $old in "result${tab}blind"*) blind=1 ;; esac
    case $muted in *" $n "*) mute=1 muted=${muted%%" $n "*}" ${muted#*" $n "}" ;; esac
    # The batch after this one has read the files.
    [ -e "$file" ] || continue
    put_result "$state" "$why"
    [ -z "$mute" ] || muted="$muted$n "
  done
}
