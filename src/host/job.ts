import type { FactName, Facts } from "../facts/facts.js";
import type { Step } from "./step.js";

/** A change or a reading of a host: the facts it needs, and the steps that follow from them. */
export interface Job {
  readonly owner: string;
  readonly facts: readonly FactName[];
  /**
   * Returns the steps. Must be pure, because it runs again if the host has changed meanwhile. An error fails
   * this job only.
   */
  plan(facts: Facts): readonly Step[];
  /** Returns the job's part of the host's state. After an undo it must be equal to what it was before. */
  look(facts: Facts): unknown;
  /** Returns why the host does not show the wanted state after the steps, or undefined if it does. */
  verify(facts: Facts): string | undefined;
}

/** A job that waits, with the callbacks of its promise. */
export interface Waiting {
  readonly job: Job;
  readonly resolve: (facts: Facts) => void;
  readonly reject: (error: Error) => void;
}
