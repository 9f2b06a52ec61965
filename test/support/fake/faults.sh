# Functions that stand in for those of src/shell/lib through which every command and every file of ours passes. Where no
# fault is armed they do what those do.
attempt() {
  kind=$1
  shift
  [ -e "$ROOT/faults/armed" ] || {
    execute "$@"
    return
  }
  i=0
  [ ! -e "$ROOT/faults/count.$kind" ] || read -r i <"$ROOT/faults/count.$kind"
  echo $((i + 1)) >"$ROOT/faults/count.$kind"
  if [ -e "$ROOT/faults/vanish.$kind.$i" ]; then
    read -r tool <"$ROOT/faults/vanish.$kind.$i"
    rm -f "$ROOT/tools/$tool"
  fi
  [ ! -e "$ROOT/faults/fill.$kind.$i" ] || : >"$ROOT/faults/full"
  if [ -e "$ROOT/faults/fail.$kind.$i" ]; then
    echo "injected failure" >&2
    return 75
  fi
  if [ -e "$ROOT/faults/pause.$kind.$i" ]; then
    : >"$ROOT/faults/reached"
    t=0
    while [ ! -e "$ROOT/faults/go" ] && [ $t -lt 6000 ]; do
      sleep 0.01
      t=$((t + 1))
    done
  fi
  execute "$@"
}
# room HOW FILE: sets $room to the file, or to the device that is always full if /run is full. A file that is written in
# place has room for a shorter text.
room() {
  if [ -e "$ROOT/faults/full" ] && ! { [ "$1" = in-place ] && [ -s "$2" ]; }; then
    : >>"$2"
    room=/dev/full
  else room=$2; fi
}
write_text() {
  room in-place "$1"
  { printf '%s\n' "$2" >"$room"; } 2>/dev/null
}
append_lines() {
  room behind "$1"
  shift
  { printf '%s\n' "$@" >>"$room"; } 2>/dev/null
}
