# in_maintenance: prints the names of servers in maintenance: addresses, with or without a port. Of names in another
# form it prints the first one as odd.
in_maintenance() {
  odd=
  for f in "$E/maintenance"/*; do
    [ -e "$f" ] || continue
    case ${f##*/} in
      *[!]0-9A-Fa-f.:[]*) [ -n "$odd" ] || odd=${f##*/} ;;
      *) printf 'maintenance\t%s\n' "${f##*/}" ;;
    esac
  done
  [ -z "$odd" ] || printf 'odd\t%s\n' "$(one_line "$odd")"
}
# evaluate: evaluates all that is known. Sets evaluation to the output, and list to the checks to run. A file may go
# while awk is about to read it, so a failure is tried once more.
evaluate() {
  table=$(read_ipvs) || return
  read_routes
  run_evaluation || run_evaluation || {
    [ -n "$unevaluated" ] ||
      printf '%s\n' 'nothing is changed now: date or awk failed, or there is no process or memory for them' >&2
    unevaluated=1
    return 1
  }
  unevaluated=
  case $nl$evaluation$nl in *"${nl}announces$nl"*) announces=1 ;; *) [ -n "$unread" ] || announces= ;; esac
  case $evaluation in --*) list= ;; *) list=${evaluation%%"$nl--$nl"*} ;; esac
  report "$(lines ignored)"
}
announces=maybe
# read_routes: reads the routes of monitors that announce. The evaluation says whether there are any, if they were read.
# It is tried twice, because there may be no process for it at one moment.
read_routes() {
  routes= unread=
  [ -n "$announces" ] || return 0
  routes=$(list_routes) || routes=$(list_routes) && {
    routes=routes$nl$routes$nl unrouted=
    # While a boot is restored, and after a restore that has failed, addresses may be missing.
    [ ! -e "$S/restored.end" ] || routes=restoring$nl$routes
    return
  }
  unread=1
  [ "$announces" = maybe ] || [ -n "$unrouted" ] ||
    printf '%s\n' "no route is changed now: ip route show: $(one_line "$routes")" >&2
  [ "$announces" = maybe ] || unrouted=1
  routes=
}
list_routes() { ip -N route show table all proto "$ROUTE_PROTOCOL" 2>&1; }
run_evaluation() {
  set -- from=given -
  for f in "$E/monitor.d"/*; do case $f in *.new) ;; *) [ ! -f "$f" ] || set -- "$@" from=monitor "$f" ;; esac done
  for f in "$E/boot" "$S/boot"; do [ ! -f "$f" ] || set -- "$@" from=record "$f"; done
  for f in "$C"/*[0-9]; do ! is_check "$f" || {
    set -- "$@" from=result "$C"/*[0-9]
    break
  }; done
  [ ! -f "$S/draining" ] || set -- "$@" from=draining "$S/draining"
  [ ! -f "$H" ] || set -- "$@" from=health "$H"
  [ ! -f "$S/monitor" ] || set -- "$@" from=kept "$S/monitor"
  evaluation=$(
    {
      date "+now$tab%s$tab%Y-%m-%d %H:%M:%S" && in_maintenance && printf '%s\n' "$table" "${routes}whole"
    } | awk -v SERVICE="$SERVICE" -v SERVER="$SERVER" -v SERVER_NUMBERS="$SERVER_NUMBERS" -v ONCE="$once" \
      -v CHECK_FORMS="$CHECK_FORMS" "$evaluate_awk" "$@" 2>/dev/null
  )
}
# is_check FILE: returns 0 if it is the file of a check, whose name is a number.
is_check() { [ -f "$1" ] && is_number "${1##*/}"; }
# report LINES: logs those that were not in the last report.
report() {
  [ "$1" != "$reported" ] || return 0
  printf '%s\n' "$1" | while IFS= read -r line; do
    case $nl$reported$nl in *"$nl$line$nl"*) ;; *) [ -z "$line" ] || printf '%s\n' "$line" >&2 ;; esac
  done
  reported=$1
}
