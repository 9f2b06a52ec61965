# A background process of a command must not hold the lock. The subshell closes it by exec, because a shell keeps a copy
# of a descriptor that is closed for one function only.
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
step() {
  [ -z "$late" ] || {
    say "failed $j $n 124"
    return 1
  }
  out=$(
    exec 9<&-
    "$@" 2>&1
  ) || {
    rc=$?
    say "failed $j $n $rc"
    text "$out"
    return 1
  }
  n=$((n + 1))
}
back() { out=$(
  exec 9<&-
  "$@" 2>&1
) || {
  rc=$?
  say "stuck $j $rc"
  text "$out"
}; }
# The transaction is complete, even if its output reaches no reader.
kept() {
  say "kept $j"
  :
}
aside() { out=$(
  exec 9<&-
  "$@" 2>&1
) || {
  say bulk
  text "$out"
  return 1
}; }
bulk() { [ -z "$late" ] && out=$(ipvsadm -R 2>&1 9<&-) && [ -z "$out" ] || {
  say bulk
  text "$out"
  return 1
}; }
