# what a command leaves to the background must not hold the lock; closed for a function alone, a shell keeps a copy
# file, value meanwhile, value afterwards, command
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
# what is done is done, even where nobody hears of it
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
