import { isDeepStrictEqual } from "node:util";
import type { Facts } from "../../src/facts/facts.js";
import type { Change } from "./change.js";
import type { Definition } from "./define.js";
import { describeDifference } from "./difference.js";
import { type Bag, partsOf } from "./inputs.js";
import {
  eraseMismatch,
  hasRecord,
  recordMismatch,
  recordOf,
  withEraseSteps,
  withRecordSteps,
} from "./ledger.js";

/** Returns the change of a setting, which always exists and may have several owners: a sysctl or a module. */
export function settingChange(definition: Definition, inputs: Bag, owner: string): Change {
  const { key, config } = partsOf(definition, inputs);
  const record = recordOf(definition, inputs, owner);
  const read = (facts: Facts) => definition.read(facts, key, config) as Bag | undefined;
  return {
    facts: ["ledger"],

    plan(verb, view) {
      const have = read(view.facts);
      // It may be right without a claim, and is erased even if it has vanished.
      return verb === "delete"
        ? withEraseSteps(view.facts, record, definition.plan(key, undefined, have ?? config, view))
        : withRecordSteps(view.facts, record, have, definition.plan(key, config, have, view));
    },

    mismatch(verb, facts) {
      const have = read(facts);
      if (verb === "delete") {
        const view = { facts, owner, persist: true };
        const left = definition.plan(key, undefined, have ?? config, view);
        return left.length === 0 ? eraseMismatch(facts, record) : "it could not be released";
      }
      if (isDeepStrictEqual(have, config)) return recordMismatch(facts, record);
      return `the host did not keep what was declared: ${have ? describeDifference(have, config) : "nothing is there"}`;
    },

    declares: (facts) => hasRecord(facts, record),

    // The last release restores the value from before, regardless of who made the first claim.
    adopts: () => false,

    observe: () => undefined,
  };
}
