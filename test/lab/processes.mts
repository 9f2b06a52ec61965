import { globSync, readFileSync } from "node:fs";

/** Processes that a process has started, and those have: parents first. */
export const descendants = (pid: number): number[] =>
  globSync(`/proc/${pid}/task/*/children`)
    .flatMap((file) => readFileSync(file, "utf8").split(" ").filter(Boolean))
    .flatMap((child) => [Number(child), ...descendants(Number(child))]);
