import { readFileSync } from "node:fs";
import { join } from "node:path";
import { quote } from "./quote.js";

/** Reads a file of this folder: text that runs on hosts. It is POSIX sh, awk, a systemd unit, Perl or Python. */
export const shellText = (file: string): string => readFileSync(join(__dirname, file), "utf8");

/** Returns assignments for the head of such a text, with each value quoted. Values go in this way only. */
export const assign = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${quote(String(value))}\n`)
    .join("");
