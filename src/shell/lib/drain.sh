# begin_drain SERVICE SERVER: writes the drain record, with the time.
# end_drain SERVICE SERVER: removes the drain record.
begin_drain() { add_lines "$S" draining "$(printf '%s\t%s\t%s' "$1" "$2" "$(date +%s)")"; }
end_drain() {
  ! line=$(grep -F -e "$(printf '%s\t%s\t' "$1" "$2")" "$S/draining" 2>/dev/null) || cut_lines "$S" draining "$line"
}
# drain_on LINE: undoes end_drain.
drain_on() { add_lines "$S" draining "$1"; }
# note_drained SERVICE SERVER SECONDS CONNECTIONS: logs the result of a drain for people. Hence it is no error if there
# is no room, or no directory of ours.
note_drained() {
  [ -d "$S" ] || return 0
  lines=$(
    tail -n 99 "$S/drained" 2>/dev/null
    printf '%s\t%s\t%s\t%s\t%s\n' "$@" "$(date +%s)"
  )
  write_text "$S/new" "$lines" && mv "$S/new" "$S/drained" || rm -f "$S/new"
}
