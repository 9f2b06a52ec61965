full() {
  printf '%s\n' "$1: cannot be written to" >&2
  return "$NO_ROOM"
}
# leave DIRECTORY: removes the directory if nothing is left in it. The log of drains goes with the last other file.
leave() {
  for other in "$1"/* "$1"/.[!.]*; do
    [ "$other" = "$1/drained" ] || [ ! -e "$other" ] || return 0
  done
  [ ! -e "$1/drained" ] || rm -f "$1/drained"
  rmdir "$1" 2>/dev/null
  :
}
# add_lines DIRECTORY FILE LINE...: appends the lines, which starts no process. Undoes an append that was cut short
# because there is no room.
add_lines() {
  d=$1 name=$2 f=$1/$2
  shift 2
  [ -d "$d" ] || mkdir -p "$d" || return
  append_lines "$f" "$@" && return
  # A last line without a newline is incomplete: drop it.
  whole=$(while IFS= read -r line; do printf '%s\n' "$line"; done <"$f")
  put_lines "$d" "$f" "$whole"
  cut_lines "$d" "$name" "$@"
  full "$d"
}
# put_lines DIRECTORY FILE TEXT: replaces the text of the file, and removes the file if the text is empty. Writes in
# place if there is no room for a second file: a shorter text always fits there.
put_lines() {
  if [ -z "$3" ]; then
    rm -f "$2" && leave "$1"
    return
  fi
  write_text "$1/new" "$3" && mv "$1/new" "$2" && return
  rm -f "$1/new"
  write_text "$2" "$3" || full "$1"
}
# cut_lines DIRECTORY FILE LINE...: removes the lines from the file. Uses awk, because grep needs an option for each
# line, and a shell takes time by the square of their number to add these. awk reads them, because a program takes 2 MB
# of arguments at most.
cut_lines() {
  d=$1 f=$1/$2
  shift 2
  rest=
  [ ! -e "$f" ] || rest=$(
    IFS='
'
    lines="$*"
    exec awk 'from == "gone" { gone[$0]; next } !($0 in gone)' from=gone - from=file "$f" <<END
$lines
END
  ) || return
  put_lines "$d" "$f" "$rest"
}
