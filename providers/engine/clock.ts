import { print } from "../../src/log.js";

/** The clock and the output. Tests give their own. */
export interface Clock {
  /** Returns milliseconds. */
  now(): number;
  pause(): Promise<void>;
  print(line: string): void;
}

export const clock: Clock = {
  now: () => performance.now(),
  // Ends at the full second, so that all that wait on one host share a script.
  pause: () => new Promise((resolve) => setTimeout(resolve, 1000 - (Date.now() % 1000))),
  print,
};
