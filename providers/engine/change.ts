import type { FactName, Facts } from "../../src/facts/facts.js";
import type { Step } from "../../src/host/step.js";
import type { HostView } from "./settings.js";

/** What a resource is to become. */
export type Verb = "create" | "update" | "delete";

/** How a change of one resource is planned and judged; objects and settings differ in that. */
export interface Change {
  /** What it looks at besides what the definition reads. */
  readonly facts: readonly FactName[];
  plan(verb: Verb, view: HostView): readonly Step[];
  /** Why the host does not show what was wanted; undefined where it does. */
  misfit(verb: Verb, facts: Facts): string | undefined;
  /** Whether the host has a record that it is to come back, of this very resource. */
  declares(facts: Facts): boolean;
  /** Whether creating it would take over what somebody else made. */
  adopts(facts: Facts): boolean;
  /** What must be as before after a change was taken back; undefined where others may have changed it meanwhile. */
  look(facts: Facts): unknown;
}

/** Whether the host knows whose it is. What another stack has taken over is its own, as whoever changes it is told. */
export function isRecorded(change: Change, view: HostView): boolean {
  try {
    return change.plan("update", view).length === 0;
  } catch {
    return true;
  }
}
