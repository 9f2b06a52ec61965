# Files in /run and /etc are written by these functions only. The tests redefine them for a host without room.
# write_text FILE TEXT: replaces the text of the file. Returns 1 if there is no room.
write_text() { { printf '%s\n' "$2" >"$1"; } 2>/dev/null; }
# append_lines FILE LINE...: appends the lines to the file. Returns 1 if there is no room.
append_lines() {
  to=$1
  shift
  { printf '%s\n' "$@" >>"$to"; } 2>/dev/null
}
