import { isDeepStrictEqual } from "node:util";
import type { Facts } from "../../src/facts/facts.js";
import { type LedgerRecord, printRecord } from "../../src/facts/ledger.js";
import { onFailure, type Step, step } from "../../src/host/step.js";
import type { Definition } from "./define.js";
import { type Bag, isShared, partsOf } from "./inputs.js";

/** The record that a resource wants, and what it means for records of other owners of the thing. */
export interface WantedRecord extends LedgerRecord {
  /** Which of them stay: `none`, any `claim`, or a claim with `equal` data. The others are erased. */
  readonly compatible: "none" | "claim" | "equal";
}

/**
 * Returns the record of a resource in the host's ledger: whose the thing is, and how to make it after a
 * reboot. It shows people on the host where a thing comes from. By it two stacks that declare the same thing
 * find each other.
 */
export function recordOf(definition: Definition, inputs: Bag, owner: string): WantedRecord {
  const { kind, rank, record } = definition;
  if (rank === undefined || !record)
    throw new Error(`cannot record ${kind}: its definition has no rank or no record`);
  const { key, config } = partsOf(definition, inputs);
  return {
    lifetime: inputs.persist === false ? "untilReboot" : "persistent",
    rank: String(rank),
    nature: definition.setting || isShared(inputs) ? "setting" : "object",
    compatible: definition.setting ? "claim" : isShared(inputs) ? "equal" : "none",
    thing: `${kind} ${definition.id(key)}`,
    owner,
    words: record(key, config),
  };
}

/** Returns `project/stack` of an owner. */
export const stackOf = (owner: string): string => owner.split("/").slice(0, 2).join("/");

type Lifetime = LedgerRecord["lifetime"];

/** Returns the command that writes a line of the ledger, which is also the undo of its removal. */
const put = (lifetime: Lifetime, line: string): string[] => ["record", lifetime, line];

const remove = (lifetime: Lifetime, line: string): string[] => ["erase", lifetime, line];

/** Returns the step that removes a line of the ledger. */
export const eraseLine = (lifetime: Lifetime, line: string): Step =>
  step(remove(lifetime, line), put(lifetime, line), "erase");

/** Returns the step that removes a record. */
export const eraseRecord = (one: LedgerRecord): Step => eraseLine(one.lifetime, printRecord(one));

/** Returns the owner of an object according to the host, or undefined if it has none. */
export function recordedOwner(facts: Facts, { thing, owner }: LedgerRecord): string | undefined {
  const holders = facts.ledger().of(thing);
  return (holders.find((one) => one.owner === owner) ?? holders[0])?.owner;
}

/** Returns the records that other owners have of a thing. */
export const othersOf = (facts: Facts, { thing, owner }: LedgerRecord): readonly LedgerRecord[] =>
  facts
    .ledger()
    .of(thing)
    .filter((one) => one.owner !== owner);

/** Returns whether a record is one of several that may be on the host, of a setting or of a shared object. */
export const isClaim = ({ nature }: LedgerRecord): boolean => nature === "setting";

/** Returns whether the record of another owner stays when this one is written. */
export const isCompatible = (one: LedgerRecord, of: WantedRecord): boolean =>
  of.compatible !== "none" &&
  isClaim(one) &&
  (of.compatible === "claim" || isDeepStrictEqual(one.words, of.words));

/** Returns the resource that owns a record. The owner of a setting has the thing's id after the resource. */
export const resourceOf = ({ owner, thing }: LedgerRecord): string => {
  const claimed = ` ${thing.slice(thing.indexOf(" ") + 1)}`;
  return owner.endsWith(claimed) ? owner.slice(0, -claimed.length) : owner;
};

/** Returns the records on the host that this one replaces when it is written or removed. */
const replacedRecords = (facts: Facts, of: WantedRecord): readonly LedgerRecord[] =>
  facts
    .ledger()
    .of(of.thing)
    .filter((one) => one.owner === of.owner || !isCompatible(one, of));

/** Returns whether the host has a record of the thing with this owner. */
export const hasRecord = (facts: Facts, of: LedgerRecord): boolean =>
  facts
    .ledger()
    .of(of.thing)
    .some(({ owner }) => owner === of.owner);

/**
 * Returns the steps of a creation or change with those for the record. The new record comes first, so that
 * nothing exists without one. Then the former ones are erased: those of other owners, and those with other data.
 *
 * `have` is undefined if the thing does not exist. Then a record of it that is there already is removed if
 * the other steps fail. A failed bulk, for example, has left it.
 */
export function withRecordSteps(
  facts: Facts,
  of: WantedRecord,
  have: unknown,
  steps: readonly Step[],
): Step[] {
  const former = replacedRecords(facts, of).filter((one) => !isSame(one, of));
  const isThere = former.length < replacedRecords(facts, of).length;
  const isOdd = have === undefined || former.length > 0;
  const line = [of.lifetime, printRecord(of)] as const;
  return [
    ...(isThere ? [] : [step(put(...line), remove(...line), "record")]),
    ...(isThere && isOdd && steps.length > 0 ? [onFailure(remove(...line), "erase")] : []),
    // The unit or the restore file was removed.
    ...(isThere && of.lifetime === "persistent" && !facts.ledger().isRestored
      ? [step(["install_boot"], null)]
      : []),
    ...former.map(eraseRecord),
    // Last, because the last of them may have no undo.
    ...steps,
  ];
}

/**
 * Returns the steps of a deletion with the removal of the records, which goes last. If a step fails and its undo
 * fails, too, the record still shows whose the thing is, and the next deletion goes on.
 */
export const withEraseSteps = (facts: Facts, of: WantedRecord, steps: readonly Step[]): Step[] => [
  ...steps,
  ...replacedRecords(facts, of).map(eraseRecord),
];

const isSame = (one: LedgerRecord, other: LedgerRecord): boolean =>
  one.lifetime === other.lifetime && printRecord(one) === printRecord(other);

/** Returns why the ledger is wrong after a creation or change, or undefined if it is right. */
export function recordMismatch(facts: Facts, of: WantedRecord): string | undefined {
  const other = replacedRecords(facts, of).find((one) => !isSame(one, of) && one.owner !== of.owner);
  if (other) return `the record of ${other.owner} is still there`;
  return withRecordSteps(facts, of, of, []).length === 0 ? undefined : "the host did not keep its record";
}

/** Returns the steps that remove this owner's records only, because others keep the thing. */
export const eraseOwnRecords = (facts: Facts, { thing, owner }: LedgerRecord): Step[] =>
  facts
    .ledger()
    .of(thing)
    .filter((one) => one.owner === owner)
    .map(eraseRecord);

/** Returns why the ledger is wrong after a deletion, or undefined if it is right. */
export const eraseMismatch = (facts: Facts, of: WantedRecord): string | undefined =>
  replacedRecords(facts, of).length === 0 ? undefined : "its record is still there";
