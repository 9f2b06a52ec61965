import { visible } from "./values/foreign.js";

/** Returns whether `LVS_LOG=trace` is set, which logs the parts of each script. */
export const isTracing = (): boolean => process.env.LVS_LOG === "trace";

/** Writes a line about connections and scripts to standard error if `LVS_LOG` is `debug` or `trace`. */
export function log(line: () => string): void {
  if (process.env.LVS_LOG === "debug" || isTracing()) console.error(`lvs: ${visible(line())}`);
}

/**
 * Prints a line for the user of Pulumi, which shows it with the stack. Only for what no other output shows.
 */
export function print(line: string): void {
  // It does not matter whether the output is still open.
  console.log(visible(line));
}
