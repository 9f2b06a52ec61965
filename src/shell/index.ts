import { readFileSync } from "node:fs";
import { join } from "node:path";
import { quote } from "./quote.js";

/** Text that runs on hosts: a file of this folder. POSIX sh, awk or a unit of systemd. */
export const shellText = (file: string): string => readFileSync(join(__dirname, file), "utf8");

/** Assignments for the head of such a text. Values go in this way and no other, each quoted. */
export const assign = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${quote(String(value))}\n`)
    .join("");
