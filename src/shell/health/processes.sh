specOf() {
  IFS= read -r spec <"$1" || return
  spec=${spec#*"$tab"}
  spec=${spec#*"$tab"}
  spec=${spec#*"$tab"}
}
# list_checks: keeps a file for each wanted check, with its result and its spec. Removes the files of other checks.
list_checks() {
  [ "$list" != "$listed" ] || return 0
  locked 50 || return 0
  mkdir -p "$C"
  chmod 700 "$C"
  all=1
  for f in "$C"/*[0-9]; do
    is_check "$f" || continue
    specOf "$f" || spec=
    case $nl$list$nl in *"$nl$spec$nl"*) continue ;; esac
    n=${f##*/}
    stop_check "$n"
    close_vip_path "$n"
    rm -f "$f" "$f.not"
  done
  while IFS= read -r spec <&7; do
    [ -n "$spec" ] || continue
    here=
    for f in "$C"/*[0-9]; do
      is_check "$f" && IFS= read -r line <"$f" || continue
      case $line in *"$tab$spec") here=$f ;; esac
    done
    [ -n "$here" ] || {
      n=1
      while [ -e "$C/$n" ]; do n=$((n + 1)); done
      here=$C/$n
      write_text "$here" "verdict$tab$tab$tab$spec" || {
        rm -f "$here"
        all=
        continue
      }
    }
    wish=$spec
    open_vip_path "${here##*/}" "$wish"
  done 7<<END
$list
END
  rmdir "$C" 2>/dev/null
  # Without room for all files the next tick tries again.
  unlocked
  [ -z "$all" ] || listed=$list
}
pids=' '
# stop_check NUMBER: stops the process of a check.
stop_check() { case $pids in *" $1:"*)
  p=${pids#*" $1:"}
  p=${p%% *}
  kill "$p" 2>/dev/null
  wait "$p" 2>/dev/null
  pids=${pids%%" $1:$p "*}" "${pids#*" $1:$p "}
  ;;
esac }
# start_checks: starts a process for each check that has none, also after one was killed.
start_checks() {
  for f in "$C"/*[0-9]; do
    is_check "$f" || continue
    n=${f##*/}
    case $pids in *" $n:"*)
      p=${pids#*" $n:"}
      p=${p%% *}
      kill -0 "$p" 2>/dev/null && continue
      stop_check "$n"
      ;;
    esac
    repeat_check "$n" 9<&- &
    pids="$pids$n:$! "
  done
}
