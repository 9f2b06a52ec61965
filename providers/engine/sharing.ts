import type { Facts } from "../../src/facts/facts.js";
import type { LedgerRecord } from "../../src/facts/ledger.js";
import { plainText } from "../../src/values/foreign.js";
import type { Definition, Refusal } from "./define.js";
import { sharedWith } from "./flags.js";
import { type Bag, noOwner } from "./inputs.js";
import { isClaim, recordOf, resourceOf, stackOf, type WantedRecord } from "./ledger.js";

/**
 * Returns the output with the owners in other stacks that claim the same thing, if there are any. The own stack's are
 * in its program, and which of them came first is chance.
 */
export function sharers(facts: Facts, definition: Definition, inputs: Bag): Bag {
  const owner = String(inputs.owner);
  if (owner === noOwner || !(definition.setting || definition.shareable)) return {};
  const { thing } = recordOf(definition, inputs, owner);
  const owners = facts
    .ledger()
    .of(thing)
    .filter((one) => isClaim(one) && stackOf(one.owner) !== stackOf(owner))
    .map(resourceOf);
  return owners.length === 0 ? {} : { [sharedWith]: [...new Set(owners)].sort() };
}

/**
 * Returns why another owner keeps a resource from having its thing. `isOurs` is true if both are of one program.
 * `difference` is what the host has and the resource wants otherwise.
 */
export function refusalOf(
  { shareable }: Definition,
  other: LedgerRecord,
  own: WantedRecord,
  isOurs: boolean,
  difference: string,
): Refusal {
  const whose = `${plainText(other.owner)}, of ${isOurs ? "this program" : "another stack"}`;
  if (isClaim(other) && isClaim(own)) {
    const inRecords = `its record is ${shown(other)}, wanted ${shown(own)}`;
    return {
      reason: `it is shared by ${whose}, with other settings: ${difference || inRecords}`,
      remedy: isOurs
        ? "write the same settings in both"
        : "write the same settings in both, or set adopt: true here, and the same settings there afterwards",
    };
  }
  if (isClaim(other))
    return {
      reason: `it is shared by ${whose}`,
      remedy: isOurs
        ? "set shared: true here, or take one of them out of the program"
        : "set shared: true here to share it, or set adopt: true to take it over",
    };
  if (isClaim(own))
    return {
      reason: `it belongs to ${whose}, which does not share it`,
      remedy: isOurs
        ? "set shared: true in both, or take one of them out of the program"
        : "set shared: true there and run `pulumi up` there first, or set adopt: true to take it over",
    };
  return isOurs
    ? {
        reason: `it belongs to ${plainText(other.owner)}, of this program, which declares it too`,
        remedy: `take one of them out of the program${shareable ? ", or set shared: true in both" : ""}`,
      }
    : {
        reason: `it belongs to ${whose}`,
        remedy: `remove it there, or set adopt: true to take it over; removing it there then leaves it alone${shareable ? "; to share it, set shared: true in both" : ""}`,
      };
}

const shown = ({ words }: LedgerRecord): string => JSON.stringify(plainText(words.join(" "), 200));
