import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { homePath } from "./home-path.js";

/** The largest key file that is read. */
export const maxKeyFile = 64 * 1024;

/** The largest known_hosts file and SSH configuration that is read. */
export const maxListFile = 1024 * 1024;

const isNull = (stats: Stats): boolean =>
  stats.isCharacterDevice() && stats.rdev === statSync("/dev/null", { throwIfNoEntry: false })?.rdev;

function refuseSpecial(stats: Stats, most: number): void {
  if (!stats.isFile() && !isNull(stats)) throw new Error("it is not a regular file");
  if (stats.size > most) throw new Error(`it is larger than ${most / 1024} KB`);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EACCES: "this user may not read it",
  EPERM: "this user may not read it",
  ELOOP: "its symbolic links have no end",
};

/** Returns the error with a plain reason in place of Node's, which repeats the path. Keeps its code. */
function explained(error: unknown): unknown {
  const { code = "" } = error as NodeJS.ErrnoException;
  const reason = reasons[code];
  return reason === undefined ? error : Object.assign(new Error(reason), { code });
}

/**
 * Reads a regular file of at most `most` bytes. /dev/null counts as an empty one. A pipe, a device or an
 * endless file would hang the program or fill its memory. Throws an error that does not show the content.
 */
export function readRegularFile(file: string, most: number): Buffer {
  try {
    return readWhole(homePath(file), most);
  } catch (error) {
    throw explained(error);
  }
}

function readWhole(path: string, most: number): Buffer {
  // Checked before the opening, because opening a device may have an effect.
  refuseSpecial(statSync(path), most);
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    // Checked again, because the path may name another file by now.
    refuseSpecial(fstatSync(descriptor), most);
    const buffer = Buffer.alloc(most + 1);
    let length = 0;
    while (length < buffer.length) {
      const count = readSync(descriptor, buffer, length, buffer.length - length, null);
      if (count === 0) break;
      length += count;
    }
    if (length > most) throw new Error(`it is larger than ${most / 1024} KB`);
    return buffer.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** Returns the content as `readRegularFile` does, or undefined if there is no such file. */
export function readIfThere(file: string, most: number): Buffer | undefined {
  try {
    return readRegularFile(file, most);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
