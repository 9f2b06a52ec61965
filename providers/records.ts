import type { DeclaredRecord } from "../src/declared.js";
import { printRecord } from "../src/declared.js";
import { Facts } from "../src/facts.js";
import { commandLine } from "../src/quote.js";
import { type Step, step } from "../src/step.js";
import type { Definition } from "./define.js";
import { type Bag, partsOf } from "./inputs.js";

/** What the host keeps of a resource so that it comes back after a reboot: how to make it where nothing is. */
export function recordOf(definition: Definition, inputs: Bag, owner: string): DeclaredRecord | undefined {
  const { kind, rank } = definition;
  if (rank === undefined) return undefined;
  const { key, config } = partsOf(definition, inputs);
  const steps = definition.plan(key, config, undefined, {
    facts: Facts.nothing(),
    owner,
    persist: inputs.persist !== false,
  });
  return {
    until: inputs.persist === false ? "now" : "boot",
    rank: String(rank),
    nature: definition.setting ? "setting" : "object",
    thing: `${kind} ${definition.id(key)}`,
    owner,
    commands: steps.map(({ run }) => commandLine(run)).join(" && "),
  };
}

const verbs = { boot: ["keep", "unkeep"], now: ["note", "unnote"] } as const;

/** Steps after which the host has this record of the thing, or none: the new one comes first, so that it is never without. */
export function recording(facts: Facts, of: DeclaredRecord | undefined, isWanted = true): Step[] {
  if (!of) return [];
  const { records, isRestored } = facts.declared();
  const known = records.filter(
    ({ thing, owner, nature }) => thing === of.thing && (nature === "object" || owner === of.owner),
  );
  const isSame = (one: DeclaredRecord) =>
    isWanted && printRecord(one) === printRecord(of) && one.until === of.until;
  const put = (one: DeclaredRecord) => [verbs[one.until][0], printRecord(one)];
  const take = (one: DeclaredRecord) => [verbs[one.until][1], printRecord(one)];
  const isThere = known.some(isSame) && (of.until === "now" || isRestored);
  // what somebody has taken the unit away from is put there anew
  return [
    ...(isWanted && !isThere && known.some(isSame) ? [step(["install_boot"], null)] : []),
    ...(isWanted && !known.some(isSame) ? [step(put(of), take(of))] : []),
    ...known.filter((one) => !isSame(one)).map((one) => step(take(one), put(one))),
  ];
}

/** Why the record on the host is not as it should be; undefined where it is. */
export const recordMisfit = (
  facts: Facts,
  of: DeclaredRecord | undefined,
  isWanted = true,
): string | undefined =>
  recording(facts, of, isWanted).length === 0 ? undefined : "the host did not keep its record";
