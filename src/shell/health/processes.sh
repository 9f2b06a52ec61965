once= apart=0 serial=0 apart_ticks=15 warned_old= curl_version= singles= batches= pids=' ' batch_pids=' '
IFS= read -r token <"$ROOT/proc/sys/kernel/random/uuid"
# is_planned: returns 0 if the wanted checks have their files and processes. After curls of batches ended before their
# time, each check has a process of its own for 30 ticks. It is twice as long each time, so that counts reach a limit,
# up to 960 ticks.
is_planned() {
  ended=
  # A batch of before may have lost its file while curl was about to read it.
  for f in "$C/$$-$serial-"*.apart; do
    [ ! -e "$f" ] || {
      rm -f "$f"
      ended=1
    }
  done
  [ -z "$ended" ] || [ "$apart" != 0 ] || {
    [ -n "$once" ] ||
      printf '%s\n' 'curl ended before its checks did: for a while each check has a process of its own' >&2
    [ "$apart_ticks" -gt 900 ] || apart_ticks=$((apart_ticks * 2))
    apart=$apart_ticks listed=none
  }
  [ "$apart" = 0 ] || {
    apart=$((apart - 1))
    [ "$apart" != 0 ] || listed=none
  }
  [ "$list" = "$listed" ]
}
# sweep: removes the files of batches of this process, and of others that have ended.
sweep() { for f in "$C"/*-*; do
  p=${f##*/} p=${p%%-*}
  [ ! -e "$f" ] || { [ "$p" != $$ ] && kill -0 "$p" 2>/dev/null; } || rm -f "$C/$p-"*
done; }
# list_checks: keeps a file for each wanted check, with its result and its spec. Removes the files of other checks. Sets
# singles to the checks with a process of their own, and batches to a line for each curl that does many.
list_checks() {
  ! is_planned || return 0
  locked 50 || return 0
  mkdir -p "$C"
  chmod 700 "$C"
  sweep
  all=1 many= serial=$((serial + 1))
  [ "$apart" != 0 ] || ! can_batch || many=1
  set --
  for f in "$C"/*[0-9]; do ! is_check "$f" || {
    set -- from=check "$C"/*[0-9]
    break
  }; done
  planned=$(printf '%s\n' "$list" | token=$token awk -v ONCE="$once" -v MANY="$many" -v DIR="$C" \
    -v SERIAL="$$-$serial" "$plan_awk" "$@" from=list -) || {
    unlocked
    return 0
  }
  singles=' ' batches= batch_pids=' '
  while IFS= read -r line <&7; do
    n=${line#*"$tab"} spec=${line#*"$tab"*"$tab"}
    case $line in
      batch*)
        batches=$batches$n$nl
        continue
        ;;
    esac
    n=${n%%"$tab"*}
    case $line in
      drop*)
        stop_check "$n"
        close_vip_path "$n"
        rm -f "$C/$n" "$C/$n.not"
        ;;
      make*) write_text "$C/$n" "result$tab$tab$tab$spec" || {
        rm -f "$C/$n"
        all=
      } ;;
      vip*)
        wish=$spec
        [ ! -f "$C/$n" ] || open_vip_path "$n" "$wish"
        ;;
      single*) singles="$singles$n " ;;
    esac
  done 7<<END
$planned
END
  for one in $pids; do
    n=${one%%:*}
    case $singles in *" $n "*) ;; *) stop_check "$n" ;; esac
  done
  # shellcheck disable=SC2086 # numbers
  set -- $singles
  [ -n "$many$warned_old" ] || [ "$apart" != 0 ] || [ $# -lt 30 ] || [ -z "$curl_version" ] || {
    warned_old=1
    printf '%s\n' "curl $curl_version is older than 7.75: each of $# checks needs processes of its own" >&2
  }
  rmdir "$C" 2>/dev/null
  # Without room for all files the next tick tries again.
  unlocked
  [ -z "$all" ] || listed=$list
}
# stop_check NUMBER: stops the process of a check.
stop_check() { case $pids in *" $1:"*)
  p=${pids#*" $1:"}
  p=${p%% *}
  kill "$p" 2>/dev/null
  wait "$p" 2>/dev/null
  pids=${pids%%" $1:$p "*}" "${pids#*" $1:$p "}
  ;;
esac }
# add_lone_checks: adds each check that ended the curl of a batch to those with a process of their own.
add_lone_checks() {
  for f in "$C/$$-$serial-"*.alone; do
    n=${f%.alone} n=${n##*.}
    case $singles in *" $n "*) continue ;; esac
    [ -e "$f" ] && read_spec "$C/$n" || continue
    singles="$singles$n "
    [ -n "$once" ] || {
      address=${spec#address=} port=${spec#*"$tab"port=}
      address=${address%%"$tab"*} port=${port%%"$tab"*}
      printf '%s\n' "$address:$port ended the curl of many servers: its check has a process of its own" >&2
    }
  done
}
# start_checks: starts a process for each check and each batch that has none, also after one was killed.
start_checks() {
  add_lone_checks
  for n in $singles; do
    is_check "$C/$n" || continue
    case $pids in *" $n:"*)
      p=${pids#*" $n:"}
      p=${p%% *}
      kill -0 "$p" 2>/dev/null && continue
      stop_check "$n"
      ;;
    esac
    if [ -n "$once" ]; then check_once "$n" 9<&- & else repeat_check "$n" 9<&- & fi
    pids="$pids$n:$! "
  done
  while read -r file args <&7; do
    [ -n "$file" ] || continue
    case $batch_pids in
      *" $file:"*)
        p=${batch_pids#*" $file:"}
        kill -0 "${p%% *}" 2>/dev/null || listed=none
        ;;
      *)
        # shellcheck disable=SC2086 # words
        batch "$file" $args 9<&- &
        batch_pids="$batch_pids$file:$! "
        ;;
    esac
  done 7<<END
$batches
END
}
