import { eraseLine, eraseRecord, resourceOf, stackOf } from "../../providers/engine/ledger.js";
import type { FactName, Facts } from "../../src/facts/facts.js";
import type { LedgerRecord } from "../../src/facts/ledger.js";
import type { Step } from "../../src/host/step.js";
import { presenceOf } from "./present.js";

/** A record that a host keeps although no stack may declare its thing any more. */
export interface LeftOver {
  /** One line for people. */
  readonly text: string;
  /** What it records, whose it is, and how long it lasts. A line that is not a record has no thing and no owner. */
  readonly thing?: string;
  readonly owner?: string;
  readonly lifetime: LedgerRecord["lifetime"];
  /** The command that removes it. */
  readonly step: Step;
}

/** Returns the facts that show what is left over, once the ledger is known. */
export const factsFor = (facts: Facts): FactName[] => [
  ...new Set<FactName>(["ledger", ...facts.ledger().records.flatMap((one) => presenceOf(one).facts)]),
];

/** Returns what is left over: all of one stack, or all records whose things do not exist. */
export function leftOver(facts: Facts, stack?: string): LeftOver[] {
  const { records, malformed } = facts.ledger();
  const isMeant = (one: LedgerRecord) =>
    stack === undefined ? !presenceOf(one).isThere(facts) : stackOf(one.owner) === stack;
  const why = stack === undefined ? ", and nothing is there" : "";
  return [
    ...records.filter(isMeant).map((record) => ({
      text: `${record.thing} of ${resourceOf(record)}: a record${record.lifetime === "persistent" ? "" : " until the next reboot"}${why}`,
      thing: record.thing,
      owner: resourceOf(record),
      lifetime: record.lifetime,
      step: eraseRecord(record),
    })),
    ...(stack === undefined ? malformed : []).map(({ lifetime, line }) => ({
      text: `${line.replaceAll("\t", " ")}: a line that is not a record`,
      lifetime,
      step: eraseLine(lifetime, line),
    })),
  ];
}
