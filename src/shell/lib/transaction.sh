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
begin() { j=$1 owner=$2 n=0; }
# undo NUMBER OWNER: begins a transaction of undo commands only, which undo an earlier one.
undo() {
  begin "$@"
  say "undone $j"
}
# attempt KIND COMMAND...: runs a command of a step, a back, a bulk or an aside. The tests redefine it to stop there.
attempt() {
  shift
  "$@"
}
step() {
  [ -z "$late" ] || {
    say "failed $j $n 124"
    return 1
  }
  without_lock attempt step "$@" || {
    rc=$?
    say "failed $j $n $rc"
    text "$out"
    return 1
  }
  n=$((n + 1))
}
back() {
  without_lock attempt back "$@" || {
    rc=$?
    say "stuck $j $rc"
    text "$out"
  }
}
# The transaction is complete, even if its output reaches no reader.
kept() {
  say "kept $j"
  :
}
aside() {
  without_lock attempt aside "$@" || {
    say bulk
    text "$out"
    return 1
  }
}
bulk() {
  [ -z "$late" ] && without_lock attempt bulk ipvsadm -R && [ -z "$out" ] || {
    say bulk
    text "$out"
    return 1
  }
}
