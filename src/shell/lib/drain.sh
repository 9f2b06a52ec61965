# service, server
begin_drain() { add_lines "$S" draining "$(printf '%s\t%s\t%s' "$1" "$2" "$(date +%s)")"; }
end_drain() {
  ! line=$(grep -F -e "$(printf '%s\t%s\t' "$1" "$2")" "$S/draining" 2>/dev/null) || cut_lines "$S" draining "$line"
}
# undoes end_drain: the line
drain_on() { add_lines "$S" draining "$1"; }
# service, server, seconds, connections left: for people, so neither want of room nor an empty house is an error
note_drained() {
  [ -d "$S" ] || return 0
  {
    tail -n 99 "$S/drained" 2>/dev/null
    printf '%s\t%s\t%s\t%s\t%s\n' "$@" "$(date +%s)"
  } 2>/dev/null >"$S/new" && mv "$S/new" "$S/drained" || rm -f "$S/new"
}
