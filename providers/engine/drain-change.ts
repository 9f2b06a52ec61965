import type { DrainingServer } from "../../src/facts/draining.js";
import type { Facts } from "../../src/facts/facts.js";
import type { Job } from "../../src/host/job.js";
import { type Step, step } from "../../src/host/step.js";
import { hostLabel } from "../../src/ssh/connection.js";
import type { Change, Verb } from "./change.js";
import type { Definition } from "./define.js";
import { calledOff, type Drained, type Drains, recordOf } from "./drains.js";
import { type Bag, connectionOf, partsOf } from "./inputs.js";

/** Returns the job that ends a drain of a thing that stays: it deletes the drain record. */
export const settled = (drains: Drains, key: unknown, drained: Drained): Omit<Job, "owner"> => {
  const record = (facts: Facts) => recordOf(facts, drains, key);
  return {
    facts: ["draining"],
    plan: (facts) => {
      const found = record(facts);
      return { steps: found ? [...forget(found), note(drains, key, drained)] : [] };
    },
    look: (facts) => record(facts)?.line,
    verify: (facts) => (record(facts) ? stillThere : undefined),
  };
};

const stillThere = "the record of its draining is still there";

const forget = ({ service, server, line }: DrainingServer): Step[] => [
  step(["end_drain", service, server], ["drain_on", line]),
];

// The last step, because it cannot be undone.
const note = (drains: Drains, key: unknown, { seconds, left }: Drained): Step =>
  step(["note_drained", ...drains.words(key), String(seconds), String(left)], null);

/**
 * Wraps a change of a drainable resource. The change deletes the drain record, so redeclaring a server
 * cancels a drain in progress. `drained` is the result of the drain before this deletion.
 */
export function withDraining(change: Change, definition: Definition, inputs: Bag, drained?: Drained): Change {
  const { drains } = definition;
  if (!drains) return change;
  const { key, config } = partsOf(definition, inputs);
  const host = hostLabel(connectionOf(inputs));
  const stays = (verb: Verb) =>
    verb !== "delete" && drains.patience(config) !== undefined && drains.isQuiesced(config);
  const record = (facts: Facts) => recordOf(facts, drains, key);
  return {
    ...change,
    facts: [...change.facts, "draining"],
    plan(verb, view) {
      const found = record(view.facts);
      if (verb !== "delete") {
        // The weight that the drain has set is no difference that the user wants.
        const steps = change.plan(found ? "update" : verb, view);
        return found && !stays(verb) ? [...forget(found), ...steps] : steps;
      }
      const steps = change.plan(verb, view);
      const isThere = change.look(view.facts) !== undefined;
      // A thing that exists and must stay belongs to another owner by now, with its record.
      if (isThere && steps.length === 0) return steps;
      if (drained && isThere && !found) throw calledOff(host);
      const noted = drained && steps.length > 0 ? [note(drains, key, drained)] : [];
      return [...(found ? forget(found) : []), ...steps, ...noted];
    },
    misfit(verb, facts) {
      const why = change.misfit(verb, facts);
      if (why !== undefined || stays(verb) || !record(facts)) return why;
      return verb === "delete" && change.look(facts) !== undefined ? undefined : stillThere;
    },
    look: (facts) => [change.look(facts), record(facts)?.line],
  };
}

/** Returns the result of a drain, as text for people. */
export function told(
  verb: Verb,
  host: string,
  [service, server]: readonly [string, string],
  { seconds, left }: Drained,
): string {
  const what = `${host}: ${server} of ${service}`;
  const who = `${left} connection${left === 1 ? "" : "s"} after ${seconds} s`;
  if (left === 0) return `${what} drained in ${seconds} s`;
  return verb === "delete" ? `${what} cut off with ${who}` : `${what} still has ${who}`;
}
