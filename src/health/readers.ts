import { shellText } from "../shell/index.js";

/**
 * The judge's readers: awk (POSIX, without intervals, which old mawk lacks; no quote ' may be in it). The variable `from` names the
 * kind of the file that is read, and each kind has one reader, which takes only lines of its own grammar. A reader checks
 * every field before it keeps any, and returns 0 for a line that does not fit; that line is counted and otherwise ignored.
 */
export const readers = shellText("health/readers.awk");
