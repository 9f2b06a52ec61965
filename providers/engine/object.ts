import { isDeepStrictEqual } from "node:util";
import { HostError } from "../../src/errors.js";
import type { Facts } from "../../src/facts/facts.js";
import type { Step } from "../../src/host/step.js";
import { hostLabel } from "../../src/ssh/connection.js";
import { plainText } from "../../src/values/foreign.js";
import type { Change, HostView, Verb } from "./change.js";
import { containedIn } from "./contained.js";
import type { Declarations } from "./declarations.js";
import type { Definition } from "./define.js";
import { describeDifference } from "./difference.js";
import { type Bag, connectionOf, partsOf } from "./inputs.js";
import {
  eraseMismatch,
  eraseOwnRecords,
  eraseRecord,
  hasRecord,
  isClaim,
  isCompatible,
  othersOf,
  recordedOwner,
  recordMismatch,
  recordOf,
  stackOf,
  withEraseSteps,
  withRecordSteps,
} from "./ledger.js";
import { refusalOf } from "./sharing.js";

/**
 * Returns the change of an object, which is present or absent: an entry, address or route. It has one owner, or
 * several that share it.
 */
export function objectChange(definition: Definition, inputs: Bag, declared: Declarations): Change {
  const { key, config } = partsOf(definition, inputs);
  const owner = String(inputs.owner);
  const record = recordOf(definition, inputs, owner);
  const read = (facts: Facts) => definition.read(facts, key, config) as Bag | undefined;
  const refused = (reason: string, remedy: string) => new HostError(host, reason, remedy);
  const host = hostLabel(connectionOf(inputs));
  const contained = (facts: Facts) => containedIn(facts, definition, key, owner, inputs.adopt === true);
  const others = (facts: Facts) => othersOf(facts, record);
  /** Returns whether the thing stays when this owner goes. */
  const isKept = (facts: Facts) => others(facts).some((one) => isClaim(one) || isClaim(record));
  /** Returns whether the owner of the record is this one, or has given the thing up. */
  const isMine = (recordOwner: string) =>
    recordOwner === owner || declared.hasGivenUp(recordOwner, record.thing, host);
  const isOthers = (facts: Facts) => {
    const recordOwner = recordedOwner(facts, record);
    return recordOwner !== undefined && !isMine(recordOwner);
  };

  const deletion = (have: Bag | undefined, view: HostView): Step[] => {
    const { facts } = view;
    // Another owner has taken it over.
    if (isOthers(facts)) return [];
    if (isKept(facts)) return eraseOwnRecords(facts, record);
    const inside = contained(facts);
    if (have && inside.ofOtherStack && inputs.adopt !== true)
      throw refused(
        `the deletion would also delete what another stack has: ${plainText(`${inside.ofOtherStack.owner} ${inside.ofOtherStack.thing}`)}`,
        "remove that there first, or set adopt: true here and run `pulumi up`, then delete",
      );
    const steps = have ? definition.plan(key, undefined, have, view) : [];
    return [...inside.records.map(eraseRecord), ...withEraseSteps(facts, record, steps)];
  };

  /** Takes over an existing thing from other owners. Throws if one of them keeps it. */
  const takeOver = (have: Bag, facts: Facts): void => {
    const hasOwn = recordedOwner(facts, record) === owner;
    for (const other of others(facts)) {
      // Records that an interrupted change of this resource left do not count.
      if (isCompatible(other, record) || (hasOwn && !isClaim(other))) continue;
      const isOurs = stackOf(other.owner) === stackOf(owner);
      const keeps = isOurs ? declared.isDeclared(other.owner, record.thing, host) : inputs.adopt !== true;
      if (keeps) {
        const difference = describeDifference(have, config);
        const { reason, remedy } = refusalOf(definition, other, record, isOurs, difference);
        throw refused(reason, remedy);
      }
      // The owner is gone from the program: the resource was renamed, and this is its new name.
      if (isOurs) declared.noteTakeover(other.owner, record.thing, host, owner);
    }
  };

  /** Throws if the host cannot have the thing, or has one with other settings that this resource did not make. */
  const refuseOther = (verb: Verb, have: Bag | undefined, facts: Facts): void => {
    const recordOwner = recordedOwner(facts, record);
    // A thing that this resource made before is its own, even if the answer was lost.
    const isOwn = recordOwner !== undefined && isMine(recordOwner);
    const isForeign =
      verb === "create" && !isDeepStrictEqual(have, config) && !isOwn && inputs.adopt !== true;
    const refusal =
      definition.clashes?.(key, config, facts) ??
      ((isForeign || !have) && definition.refuses?.(key, config, have, facts));
    if (refusal) throw refused(refusal.reason, refusal.remedy);
    if (have && isForeign)
      throw refused(
        `it exists already, with other settings: ${describeDifference(have, config)}`,
        "set adopt: true to take it over, or remove it there",
      );
  };

  return {
    facts: ["ledger"],

    plan(verb, view) {
      const { facts } = view;
      const have = read(facts);
      if (verb === "delete") return deletion(have, view);
      if (have) takeOver(have, facts);
      refuseOther(verb, have, facts);
      const steps = isDeepStrictEqual(have, config) ? [] : definition.plan(key, config, have, view);
      return withRecordSteps(facts, record, have, steps);
    },

    mismatch(verb, facts) {
      const have = read(facts);
      if (verb === "delete") {
        if (isOthers(facts)) return undefined;
        if (isKept(facts))
          return eraseOwnRecords(facts, record).length === 0 ? undefined : "its record is still there";
        if (have) return "it is still there after it was deleted";
        const [left] = contained(facts).records;
        return left
          ? `the record of a thing that it contains is still there: ${left.thing} of ${left.owner}`
          : eraseMismatch(facts, record);
      }
      if (!isDeepStrictEqual(have, config))
        return `the host did not keep what was declared: ${have ? describeDifference(have, config) : "nothing is there"}`;
      return definition.clashes?.(key, config, facts)?.reason ?? recordMismatch(facts, record);
    },

    declares: (facts) => hasRecord(facts, record),

    adopts(facts) {
      const recordOwner = recordedOwner(facts, record);
      // The last owner removes a shared thing. So a rollback may delete this one.
      if (others(facts).some((one) => isCompatible(one, record))) return false;
      return (
        read(facts) !== undefined && (recordOwner === undefined || stackOf(recordOwner) !== stackOf(owner))
      );
    },

    observe: read,
  };
}
