import { homedir } from "node:os";
import { join } from "node:path";

/** Expands `~/`. */
export const homePath = (path: string): string =>
  path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
