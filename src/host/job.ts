import type { FactName, Facts } from "../facts/facts.js";
import type { Step } from "./step.js";

/** What is wanted of a host: facts to look at, and the steps that follow from them. */
export interface Job {
  readonly owner: string;
  readonly facts: readonly FactName[];
  /** Pure; called again when the host has changed in between. What it throws fails this job alone. */
  plan(facts: Facts): readonly Step[];
  /** What the host shows of it; after what was taken back it must be what it was before. */
  look(facts: Facts): unknown;
  /** Why the host does not show what was wanted, after the steps; undefined where it does. */
  verify(facts: Facts): string | undefined;
}

/** A job, and whom to tell. */
export interface Waiting {
  readonly job: Job;
  readonly resolve: (facts: Facts) => void;
  readonly reject: (error: Error) => void;
}
