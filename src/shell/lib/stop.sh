trap '' HUP INT TERM PIPE
# shellcheck disable=SC3013 # dash, bash and busybox have -ef
[ "/proc/$pid/fd/9" -ef "$lock_file" ] || exit
trap 'kill -CONT "$pid"' EXIT
kill -USR1 "$pid"
near=$pid all= levels=100
while [ -n "$near" ] && [ $levels -gt 0 ]; do
  # A stopped process starts no children that the loop would miss.
  kill -STOP $near
  next= levels=$((levels - 1))
  # Uses grep, because between two lines bash has the kernel write the file anew, and the process name may have changed
  # by then.
  # shellcheck disable=SC2013 # words are meant
  for word in $(grep -H '^PPid:' /proc/[0-9]*/status); do
    case $word in */status:PPid:)
      p=${word#/proc/}
      p=${p%%/*}
      continue
      ;;
    esac
    case " $pid$all " in *" $p "*) continue ;; esac
    case " $near " in *" $word "*) next="$next $p" ;; esac
  done
  all="$all$next" near=$next
done
[ -z "$all" ] || kill -KILL $all
