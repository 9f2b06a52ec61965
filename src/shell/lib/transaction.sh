# with_file FILE MEANWHILE AFTERWARDS COMMAND...: runs the command while the file has the value MEANWHILE.
with_file() {
  f=$1 after=$3
  put_file "$1" "$2" || return
  shift 3
  "$@"
  rc=$?
  put_file "$f" "$after"
  return $rc
}
# put_entries LINE...: gives the lines to one ipvsadm. Its exit code is only that of the last line, so any output is a
# failure.
put_entries() {
  printed=$(
    ipvsadm -R 2>&1 <<LINES
$(printf '%s\n' "$@")
LINES
  ) && [ -z "$printed" ] && return
  printf '%s\n' "$printed"
  return 1
}
# undo_entries LINE...: undoes put_entries, of which only a part may have been done. So lines may fail, and the table
# that is read back shows the result.
undo_entries() {
  put_entries "$@" >/dev/null || :
}
# begin NUMBER OWNER: begins a transaction. After a failure its steps do nothing, and undo_step undoes those before.
begin() { j=$1 owner=$2 n=0 failed= undo_failed=; }
# undo NUMBER OWNER: begins a transaction of undo commands only, which undo an earlier one.
undo() {
  begin "$@"
  print_line "undone $j"
}
# execute COMMAND...: runs the last command of a subshell. A program takes the subshell's place, which saves a process.
execute() {
  case $1 in ipvsadm | ip | modprobe | rmmod) exec "$@" ;; esac
  "$@"
}
# attempt KIND COMMAND...: runs a command of a step, an undo, a bulk or an aside. The tests redefine it to stop there.
attempt() {
  shift
  execute "$@"
}
step() {
  [ -z "$failed" ] || return 0
  [ -z "$timed_out" ] || {
    failed=1
    print_line "failed $j $n $NOT_BEGUN"
    return
  }
  without_lock attempt step "$@" || {
    rc=$? failed=1
    print_line "failed $j $n $rc"
    text "$out"
    return
  }
  n=$((n + 1))
}
# kept: reports a transaction that is complete, even if its output reaches no reader.
kept() { [ -n "$failed" ] || print_line "kept $j"; }
# undo_step NUMBER COMMAND...: undoes that step by the command if a later one failed. A step that may be done in part
# has the number before its own.
undo_step() {
  [ -n "$failed" ] && [ "$n" -gt "$1" ] || return 0
  shift
  run_undo "$@"
}
# run_undo COMMAND...: runs an undo command. A setting that could not be undone keeps its record (RANK TAB setting TAB
# ...): by it the next deletion finds the value to restore.
run_undo() {
  case $undo_failed$1$3 in 1erase???setting?*) return ;; esac
  [ "$1" != record ] || {
    shift
    set -- record_again "$@"
  }
  without_lock attempt undo "$@" || {
    rc=$? undo_failed=1
    print_line "undo_failed $j $rc"
    text "$out"
  }
}
# begin_bulk: begins the entries that one ipvsadm makes, with their records.
begin_bulk() { failed=; }
# aside COMMAND...: writes or removes the records of the bulk. Needs no subshell, because it leaves no process in the
# background. Its output goes nowhere, because the facts that are read back show the result.
aside() {
  out=
  [ -n "$failed" ] || attempt aside "$@" >/dev/null 2>&1 || bulk_failed
}
bulk() {
  [ -z "$failed" ] || return 0
  [ -z "$timed_out" ] && without_lock attempt bulk ipvsadm -R && [ -z "$out" ] || bulk_failed
}
bulk_failed() {
  failed=1
  print_line bulk
  text "$out"
}
