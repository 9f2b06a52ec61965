import type { FactName } from "../facts/facts.js";
import type { Job } from "./job.js";

/** Returns a job that changes nothing. */
export const readingJob = (owner: string, facts: readonly FactName[]): Job => ({
  ...{ owner, facts, plan: () => ({ steps: [] }) },
  ...{ observe: () => undefined, verify: () => undefined },
});
