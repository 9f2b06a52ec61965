import { shellText } from "./index.js";

/**
 * The host's lock: an empty file in a directory where only root can create files. It stays until the next
 * reboot.
 */
export const lockFile = "/run/pulumi-lvs.lock";

/**
 * Shell functions that take and drop the host's lock, for scripts, the restore and the health agent. The lock
 * is on an open file, so it ends with its process. Only root can open the file, so no other user can lock it.
 */
export const lockFunctions = shellText("lib/lock.sh");
