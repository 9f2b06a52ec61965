/** The host's lock: one empty file in a directory where only root can make entries. It stays until the next reboot. */
export const lockFile = "/run/pulumi-lvs.lock";

/** Codes of `take_lock` besides 0. */
export const lockCodes = { held: 1, unsafe: 126, noFlock: 127 } as const;

/**
 * Shell functions that take and drop the host's lock, for scripts, the restore and the health agent alike. The lock is on an
 * open file, so it ends with the process that holds it. The file is root's alone: no other user can open it, hence lock it.
 */
export const lockFunctions = `
lock_file=${lockFile}
# open_lock: opens the lock file as descriptor 9, and makes it where it is missing. Returns ${lockCodes.unsafe} if it is not a regular
# file of root's own, in a directory of root's own. Looked at first, since a shell that cannot open it for exec ends.
open_lock() {
  [ -e "$lock_file" ] || [ -h "$lock_file" ] || (umask 077; set -C; : >"$lock_file") 2>/dev/null
  if [ ! -f "$lock_file" ] || [ -h "$lock_file" ] || [ ! -O "$lock_file" ] || [ ! -O "\${lock_file%/*}" ]; then
    printf '%s\\n' "$lock_file: cannot be made, or is not a regular file of root's own" >&2; return ${lockCodes.unsafe}
  fi
  exec 9<"$lock_file"
}
# take_lock -s|-x TRIES: waits 0.2 s between tries, and a second where sleep knows no fractions. Returns ${lockCodes.held} if another process
# holds the lock, ${lockCodes.unsafe} as open_lock does, ${lockCodes.noFlock} without flock. Not flock -w, which BusyBox has not.
take_lock() {
  has flock || return
  open_lock || return
  tries=$2
  until flock "$1" -n 9; do
    [ "$tries" -gt 0 ] || { drop_lock; return ${lockCodes.held}; }
    tries=$((tries - 1)); sleep 0.2 2>/dev/null || { sleep 1; tries=$((tries - 4)); }
  done
}
drop_lock() { exec 9<&-; }
`;
