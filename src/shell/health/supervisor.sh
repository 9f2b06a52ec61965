LC_ALL=C
export LC_ALL PATH
# Only root may read the commands of checks.
umask 077
tab=$(printf '\t')
H=$S/health C=$S/checks announced=
locked() { take_lock -x "${1:-25}"; }
unlocked() { drop_lock; }
# write FILE TEXT: replaces the file as a whole, and only if the text differs.
write() {
  [ "$2" != "$(cat "$1" 2>/dev/null)" ] || return 0
  if [ -z "$2" ]; then
    rm -f "$1"
    return
  fi
  if write_text "$1.new" "$2" &&
    { [ "$1" != "$H" ] || chmod 644 "$1.new"; } && mv "$1.new" "$1"; then
    [ "$unwritten" != "$1" ] || unwritten=
    return
  fi
  rm -f "$1.new" 2>/dev/null
  # Log it once, not at each tick.
  [ "$unwritten" = "$1" ] || printf '%s\n' "$1: cannot be written" >&2
  unwritten=$1
  return 1
}
lines() { case $nl$evaluation in *"$nl$1$tab"*) printf '%s\n' "$evaluation" | sed -n "s/^$1$tab//p" ;; esac }
kept() { lines kept | sed "s|^|kept$tab|"; }
quiet() { case $evaluation in *"--$nl"quiet*) ;; *) return 1 ;; esac }
# apply_evaluation: applies the output of the evaluation. The caller holds the lock.
apply_evaluation() {
  failed=$announced logs= redo=
  (umask 022 && mkdir -p "$S")
  evaluate || return
  failed=
  ! quiet || return 0
  stuck=' ' unadded=' ' todo=$(lines 'do')
  while IFS=$tab read -r phase of verb a b c d <&7; do
    [ -n "$verb" ] || continue
    # No server leaves while adding the sorry server fails.
    case $phase$stuck in 4*" $of "*)
      failed=1 redo=1
      continue
      ;;
    esac
    # No route announces a service while adding one of its servers fails.
    can=1
    [ $phase != 6 ] || for one in $of; do case $unadded in *" $one "*) can= ;; esac done
    [ -n "$can" ] || continue
    change_table "$verb" "$of" "$a" "$b" "$c" "$d" && continue
    failed=1
    # A refused route is planned anew as long as it is missing.
    case $phase in 0 | 6) ;; *) redo=1 ;; esac
    [ $phase != 2 ] || stuck="$stuck$of "
    case $phase in 1 | 3) unadded="$unadded$of " ;; esac
    [ "$error" = "$last_error" ] || printf '%s\n' "$error" >&2
    last_error=$error
  done 7<<END
$todo
END
  lines note >&2
  write "$H" "$(lines health)"
  # redo tries a refused change again, even if nothing else changes. If the state cannot be written, the lines are not
  # logged: they would be logged at each tick.
  write "$S/monitor" "$(
    kept
    [ -z "$redo" ] || printf 'kept\tredo\n'
  )" && logs=$(lines log)
}
# tick: takes the lock only if the evaluation wants a change.
tick() {
  ! quiet || return 0
  locked || return
  apply_evaluation
  unlocked
  put_logs
}
put_text() { write "$@"; }
# orphans: prints files of monitors without a record: they were to last until the reboot. The agent goes with the last
# one.
orphans() {
  for f in "$E/monitor.d"/*; do
    of=$(sed -n "s/^service$tab//p" "$f" 2>/dev/null)
    [ -z "$of" ] || named " $of/health" || printf '%s\n' "$f"
  done
}
# named TEXT: returns 0 if a record contains it, or if grep fails.
named() {
  for g in "$E/boot" "$S/boot"; do
    [ ! -f "$g" ] || {
      grep -qF -e "$1" "$g"
      [ $? = 1 ] || return 0
    }
  done
  return 1
}
expire() {
  [ -n "$(orphans)" ] && locked 300 || return 0
  orphans | while IFS= read -r f; do rm -f "$f"; done
  rotated
  rmdir "$E/monitor.d" 2>/dev/null && unlink_agent && rmdir "$E" 2>/dev/null
  unlocked
  [ -e "$E/monitor" ] || {
    systemctl --no-block stop pulumi-lvs-monitor.service
    exit 0
  }
}
# open_pipe: opens a pipe without a name, so that no other user can open it. Takes it over from a child.
open_pipe() {
  # shellcheck disable=SC2216 # it is not read; its pipe is wanted
  : | sleep "$PIPE_SECONDS" &
  ends=$! tries=50
  until [ -p "/proc/$ends/fd/0" ] || [ $tries = 0 ]; do
    tries=$((tries - 1))
    sleep "$LOOK_SECONDS" 2>/dev/null || sleep "$ROUND_SECONDS"
  done
  if [ -p "/proc/$ends/fd/0" ]; then
    exec 8<>"/proc/$ends/fd/0"
    pipe=1
  fi
  kill "$ends"
  wait "$ends"
} 2>/dev/null
wake() { [ -z "$pipe" ] || printf 'x' >&8; }
# rest: waits for PAUSE_SECONDS seconds or until a checker has a result. Needs no other process. Uses no signals,
# because some versions of bash run traps in the middle of parsing.
rest() {
  [ -n "$pipe" ] || {
    sleep "$PAUSE_SECONDS"
    return
  }
  timeout "$PAUSE_SECONDS" dd bs=512 count=1 <&8 >/dev/null 2>&1
  # Without timeout and dd, or after one was killed, wait the whole pause.
  case $? in 0 | 124 | 143) ;; *) sleep "$PAUSE_SECONDS" ;; esac
}
case ${1:-} in
  '')
    expire
    supervisor=$$ listed=none pipe=
    exec </dev/null
    open_pipe
    while :; do
      evaluate && list_checks && start_checks && tick
      mend_vip_paths
      rest
    done
    ;;
  once)
    expire
    listed=none once=1 supervisor=
    evaluate && list_checks || exit 1
    start_checks
    wait
    singles=' ' batches=
    is_planned || list_checks
    start_checks
    wait
    rm -f "$C/$$-"*
    locked 300 || exit 1
    apply_evaluation
    unlocked
    put_logs
    [ -z "$failed" ]
    ;;
  # The caller holds the lock. Restores the declared state of services without a file. Fails if the route of such a
  # service (announced) may still be there.
  forget)
    announced=${2:-}
    [ -z "$announced" ] || announces=1
    apply_evaluation
    put_logs
    [ -z "$failed" ] && { [ -z "$announced" ] || [ -z "$unrouted" ]; }
    ;;
  close) for f in "$C"/*.through; do
    n=${f##*/} n=${n%.through}
    ! is_number "$n" || close_vip_path "$n"
  done ;;
  *)
    printf '%s\n' 'usage: monitor [once|forget|close]' >&2
    exit "$WRONG_ARGUMENTS"
    ;;
esac
