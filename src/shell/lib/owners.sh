full() {
  printf '%s\n' "$1: cannot be written to" >&2
  return "$NO_ROOM"
}
# directory: what was drained is told of for as long as there is anything else of ours
leave() {
  [ "$(ls -A "$1" 2>/dev/null)" != drained ] || rm -f "$1/drained"
  rmdir "$1" 2>/dev/null
  :
}
# directory, file, lines: an append, so that it costs no process; one that was cut short for want of room is taken
# back
add_lines() {
  d=$1 name=$2 f=$1/$2
  shift 2
  [ -d "$d" ] || mkdir -p "$d" || return
  { printf '%s\n' "$@" >>"$f"; } 2>/dev/null && return
  # a last line without its end is no line
  whole=$(while IFS= read -r line; do printf '%s\n' "$line"; done <"$f")
  put_lines "$d" "$f" "$whole"
  cut_lines "$d" "$name" "$@"
  full "$d"
}
# directory, file, text: a shorter one always has room, be it in place; the file goes with the last line
put_lines() {
  if [ -z "$3" ]; then
    rm -f "$2" && leave "$1"
    return
  fi
  { printf '%s\n' "$3" >"$1/new"; } 2>/dev/null && mv "$1/new" "$2" && return
  rm -f "$1/new"
  { printf '%s\n' "$3" >"$2"; } 2>/dev/null || full "$1"
}
# directory, file, lines
cut_lines() {
  d=$1 f=$1/$2
  shift 2
  for line; do
    shift
    set -- "$@" -e "$line"
  done
  rest=$([ ! -e "$f" ] || grep -vxF "$@" <"$f") || [ $? = 1 ] || return
  put_lines "$d" "$f" "$rest"
}
mark() { add_lines "$S" owners "$@"; }
unmark() { cut_lines "$S" owners "$@"; }
