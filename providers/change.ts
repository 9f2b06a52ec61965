import type { FactName, Facts } from "../src/facts.js";
import type { Step } from "../src/step.js";
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
  /** What must be as before after a change was taken back; undefined where others may have changed it meanwhile. */
  look(facts: Facts): unknown;
}
