import type { Facts } from "../../src/facts/facts.js";
import type { DeclaredRecord } from "../../src/facts/records.js";
import { printRecord } from "../../src/facts/records.js";
import { type Step, step } from "../../src/host/step.js";
import type { Definition } from "./define.js";
import { type Bag, partsOf } from "./inputs.js";

/** Returns the host's record of a resource: how to make it from nothing after a reboot. */
export function recordOf(definition: Definition, inputs: Bag, owner: string): DeclaredRecord | undefined {
  const { kind, rank } = definition;
  if (rank === undefined || !definition.record) return undefined;
  const { key, config } = partsOf(definition, inputs);
  return {
    until: inputs.persist === false ? "now" : "boot",
    rank: String(rank),
    nature: definition.setting ? "setting" : "object",
    thing: `${kind} ${definition.id(key)}`,
    owner,
    words: definition.record(key, config),
  };
}

/** Commands that write a record and remove it. */
export const verbs = { boot: ["keep", "unkeep"], now: ["note", "unnote"] } as const;

/**
 * Returns the steps of a change with those for the record. A new record comes before an old one goes, so that
 * nothing exists without one. `isThere` says whether the thing exists. If it does not, or a failed bulk began
 * its change, a remaining record is removed when the other steps fail.
 */
export function recording(
  facts: Facts,
  of: DeclaredRecord | undefined,
  steps: readonly Step[],
  isThere: boolean,
  isWanted = true,
): Step[] {
  if (!of) return [...steps];
  const { records, isRestored } = facts.declared();
  const known = records.filter(
    ({ thing, owner, nature }) => thing === of.thing && (nature === "object" || owner === of.owner),
  );
  const isSame = (one: DeclaredRecord) =>
    isWanted && printRecord(one) === printRecord(of) && one.until === of.until;
  const put = (one: DeclaredRecord) => [verbs[one.until][0], printRecord(one)];
  const take = (one: DeclaredRecord) => [verbs[one.until][1], printRecord(one)];
  const others = known.filter((one) => !isSame(one));
  const stays = others.length < known.length;
  return [
    ...(isWanted && !stays ? [step(put(of), take(of))] : []),
    ...(stays && steps.length > 0 && (!isThere || others.length > 0) ? [step([":"], take(of))] : []),
    // The unit or the restore file was removed.
    ...(stays && of.until === "boot" && !isRestored ? [step(["install_boot"], null)] : []),
    ...others.map((one) => step(take(one), put(one))),
    // The thing may turn out unchanged, even if its last step cannot be undone.
    ...steps,
  ];
}

/** Returns whether the host has a record of the thing with this owner. */
export const isDeclared = (facts: Facts, of: DeclaredRecord | undefined): boolean =>
  of !== undefined &&
  facts.declared().records.some(({ thing, owner }) => thing === of.thing && owner === of.owner);

/** Returns why the record on the host is wrong, or undefined if it is right. */
export const recordMisfit = (
  facts: Facts,
  of: DeclaredRecord | undefined,
  isWanted = true,
): string | undefined =>
  recording(facts, of, [], true, isWanted).length === 0 ? undefined : "the host did not keep its record";
