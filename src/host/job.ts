import { isDeepStrictEqual } from "node:util";
import { factFailure, HostError } from "../errors.js";
import { FactError, type FactName, type Facts } from "../facts/facts.js";
import { rulesOf } from "./script.js";
import type { Step } from "./step.js";

/** The steps of a job, and what the caller wants to know of the facts behind them. */
export interface Plan<Notes = unknown> {
  readonly steps: readonly Step[];
  readonly notes?: Notes;
}

/** The facts after a job, and the notes of the plan that was carried out. */
export interface Done<Notes = unknown> {
  readonly facts: Facts;
  readonly notes?: Notes | undefined;
}

/** A change or a reading of a host: the facts it needs, and the steps that follow from them. */
export interface Job<Notes = unknown> {
  readonly owner: string;
  readonly facts: readonly FactName[];
  /** Whether a reading may have facts that came a moment ago, as those of one refresh do. Default false. */
  readonly mayBeRecent?: boolean;
  /**
   * Returns the steps. Must be pure, because it runs again if the host has changed meanwhile. An error fails
   * this job only.
   */
  plan(facts: Facts): Plan<Notes>;
  /** Returns the job's part of the host's state. After an undo it must be equal to what it was before. */
  observe(facts: Facts): unknown;
  /** Returns why the host does not show the wanted state after the steps, or undefined if it does. */
  verify(facts: Facts): string | undefined;
}

/** Returns whether none of the job's steps took effect, records aside. */
export function isUntouched(job: Job, steps: readonly Step[], facts: Facts): boolean {
  try {
    const again = rulesOf(job.plan(facts).steps);
    return again.length === 0 || isDeepStrictEqual(again, rulesOf(steps));
  } catch {
    return false;
  }
}

/** Returns whether the job's part of the host's state is as it was before. */
export function isAsBefore(job: Job, before: Facts, after: Facts): boolean {
  try {
    return isDeepStrictEqual(job.observe(after), job.observe(before));
  } catch {
    return false;
  }
}

/** Returns why the host does not show the wanted state, also if it cannot be read, and what to do then. */
export function mismatchOf(
  host: string,
  job: Job,
  facts: Facts,
): Pick<HostError, "reason" | "remedy"> | undefined {
  try {
    const reason = job.verify(facts);
    return reason === undefined ? undefined : { reason };
  } catch (error) {
    const found = explained(host, error);
    return found instanceof HostError ? found : { reason: found.message };
  }
}

/** Returns the error of a job's function in the words of the host's other errors. */
export const explained = (host: string, error: unknown): Error =>
  error instanceof FactError ? factFailure(host, error) : (error as Error);
