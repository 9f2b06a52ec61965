lock_file=$ROOT/run/pulumi-lvs.lock
# open_lock: opens the lock file as descriptor 9, and creates it if it is missing. Returns LOCK_UNSAFE unless it is a
# regular file of root in a directory of root. Checks that first, because a shell exits if exec cannot open a file.
open_lock() {
  [ -e "$lock_file" ] || [ -h "$lock_file" ] || (
    umask 077
    set -C
    : >"$lock_file"
  ) 2>/dev/null
  if [ ! -f "$lock_file" ] || [ -h "$lock_file" ] || [ ! -O "$lock_file" ] || [ ! -O "${lock_file%/*}" ]; then
    printf '%s\n' "$lock_file: cannot be made, or is not a regular file of root's own" >&2
    return "$LOCK_UNSAFE"
  fi
  exec 9<"$lock_file"
}
# take_lock -s|-x TRIES: waits LOCK_SECONDS between tries, or ROUND_SECONDS if sleep takes no fractions. Returns
# LOCK_HELD if another process holds the lock, NO_TOOL without flock, LOCK_UNSAFE as open_lock does. Does not use
# flock -w, because BusyBox has none.
take_lock() {
  has flock || return
  open_lock || return
  tries=$2
  until flock "$1" -n 9; do
    [ "$tries" -gt 0 ] || {
      drop_lock
      return "$LOCK_HELD"
    }
    tries=$((tries - 1))
    sleep "$LOCK_SECONDS" 2>/dev/null || {
      sleep "$ROUND_SECONDS"
      tries=$((tries - 4))
    }
  done
}
drop_lock() { exec 9<&-; }
# without_lock COMMAND...: runs the command; $out is what it prints. A background process of it must not hold the
# lock. The subshell closes it by exec, because a shell keeps a copy of a descriptor that is closed for one function
# only.
without_lock() {
  out=$(
    exec 9<&-
    "$@" 2>&1
  )
}
