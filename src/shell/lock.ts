import { assign, shellText } from "./index.js";

/** The host's lock: one empty file in a directory where only root can make entries. It stays until the next reboot. */
export const lockFile = "/run/pulumi-lvs.lock";

/** Codes of `take_lock` besides 0. */
export const lockCodes = { held: 1, unsafe: 126, noFlock: 127 } as const;

/**
 * Shell functions that take and drop the host's lock, for scripts, the restore and the health agent alike. The lock is on an
 * open file, so it ends with the process that holds it. The file is root's alone: no other user can open it, hence lock it.
 */
export const lockFunctions = [
  assign({
    lock_file: lockFile,
    LOCK_HELD: lockCodes.held,
    LOCK_UNSAFE: lockCodes.unsafe,
    LOCK_NO_FLOCK: lockCodes.noFlock,
  }),
  shellText("lib/lock.sh"),
].join("");
