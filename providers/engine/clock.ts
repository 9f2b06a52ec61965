import { tell } from "../../src/log.js";

/** The clock and the output. Tests give their own. */
export interface Watch {
  /** Returns milliseconds. */
  now(): number;
  pause(): Promise<void>;
  tell(line: string): void;
}

export const watch: Watch = {
  now: () => performance.now(),
  // Ends at the full second, so that all that wait on one host share a script.
  pause: () => new Promise((resolve) => setTimeout(resolve, 1000 - (Date.now() % 1000))),
  tell,
};
