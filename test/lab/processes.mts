import { globSync, readFileSync } from "node:fs";

/** Processes that a process has started, and those have: parents first. */
export const descendants = (pid: number): number[] =>
  globSync(`/proc/${pid}/task/*/children`)
    .flatMap((file) => textOf(file).split(" ").filter(Boolean))
    .flatMap((child) => [Number(child), ...descendants(Number(child))]);

/** Returns the words of a process's command, or nothing if it has ended. */
export const commandOf = (pid: number): string[] =>
  textOf(`/proc/${pid}/cmdline`).split("\0").filter(Boolean);

const textOf = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
};
