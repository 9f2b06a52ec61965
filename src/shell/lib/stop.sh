# stop_script PID: stops a script that exceeded its time. Signals it (USR1) to start nothing more and undo its work,
# then kills its children. Does nothing unless the PID still holds the host's lock file open, because PIDs are reused.
# Reads the parent of a process from PPid in `status`. Any user may choose a process name, but there the kernel writes a
# line end of the name as `\n` (fs/proc/array.c of Linux). In `stat` the name is raw.
stop_script() (
  pid=$1
  exec >/dev/null 2>&1
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
    # Uses grep, because between two lines bash has the kernel write the file anew, and the process name may have
    # changed by then.
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
)
