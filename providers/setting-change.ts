import { isDeepStrictEqual } from "node:util";
import type { Facts } from "../src/facts.js";
import type { Change } from "./change.js";
import { contrast } from "./contrast.js";
import type { Definition } from "./define.js";
import { type Bag, partsOf } from "./inputs.js";

/** Changes of what is never absent and may be wanted by several at once: sysctls, modules. */
export function settingChange(definition: Definition, inputs: Bag, owner: string): Change {
  const { key, config } = partsOf(definition, inputs);
  const read = (facts: Facts) => definition.read(facts, key, config) as Bag | undefined;
  return {
    facts: [],

    plan(verb, view) {
      const have = read(view.facts);
      // it may be right without being claimed, and is let go of even where it has vanished
      return verb === "delete"
        ? definition.plan(key, undefined, have ?? config, view)
        : definition.plan(key, config, have, view);
    },

    misfit(verb, facts) {
      const have = read(facts);
      if (verb === "delete") {
        const left = definition.plan(key, undefined, have ?? config, { facts, owner });
        return left.length === 0 ? undefined : "it could not be let go of";
      }
      if (isDeepStrictEqual(have, config)) return undefined;
      return `the host did not keep what was asked for: ${have ? contrast(have, config) : "nothing is there"}`;
    },

    // what was found comes back with the last claim, whoever made it
    adopts: () => false,

    look: () => undefined,
  };
}
