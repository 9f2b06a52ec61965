import type { Facts } from "../../src/facts/facts.js";
import type { DeclaredRecord } from "../../src/facts/records.js";
import { printRecord } from "../../src/facts/records.js";
import { type Step, step } from "../../src/host/step.js";
import type { Definition } from "./define.js";
import { type Bag, partsOf } from "./inputs.js";

/** What the host keeps of a resource so that it comes back after a reboot: how to make it where nothing is. */
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

/** Commands that write a record, and that take it away. */
export const verbs = { boot: ["keep", "unkeep"], now: ["note", "unnote"] } as const;

/**
 * Steps around those of a change, after which the host has this record of the thing, or none: a new one comes before an old
 * one goes, so that nothing is there without any. `isThere` says whether the thing is; where it is not, or its
 * change was begun by a bulk that failed, a record that stayed goes again if the rest fails.
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
    // the unit or the restore file was taken away
    ...(stays && of.until === "boot" && !isRestored ? [step(["install_boot"], null)] : []),
    ...others.map((one) => step(take(one), put(one))),
    // what there is may be found as it was, also where its last step cannot be taken back
    ...steps,
  ];
}

/** Whether the host has a record of the thing by this very owner. */
export const isDeclared = (facts: Facts, of: DeclaredRecord | undefined): boolean =>
  of !== undefined &&
  facts.declared().records.some(({ thing, owner }) => thing === of.thing && owner === of.owner);

/** Why the record on the host is not as it should be; undefined where it is. */
export const recordMisfit = (
  facts: Facts,
  of: DeclaredRecord | undefined,
  isWanted = true,
): string | undefined =>
  recording(facts, of, [], true, isWanted).length === 0 ? undefined : "the host did not keep its record";
