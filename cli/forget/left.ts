import { stackOf } from "../../providers/engine/ownership.js";
import { verbs } from "../../providers/engine/records.js";
import type { FactName, Facts } from "../../src/facts/facts.js";
import { type DeclaredRecord, printRecord } from "../../src/facts/records.js";
import { type Step, step } from "../../src/host/step.js";
import { lookFor, type Named } from "./present.js";

/** A record or mark that a host keeps although no stack may declare its thing any more. */
export interface LeftOver {
  /** One line for people. */
  readonly text: string;
  /** The command that removes it. */
  readonly step: Step;
}

/** An owner mark on the host, which lasts until the next reboot. */
interface Mark extends Named {
  readonly owner: string;
  readonly line: string;
}

const marked = / ((?:VirtualService|RealServer|VirtualAddress|HostRoute|SyncDaemon|HealthMonitor) \S.*)$/;

const marksOf = (facts: Facts): Mark[] =>
  facts.owners().flatMap((line) => {
    const thing = marked.exec(line)?.[1];
    return thing === undefined ? [] : [{ line, thing, words: [], owner: line.slice(0, -thing.length - 1) }];
  });

/** Returns the facts that show what is left over, once records and marks are known. */
export function factsFor(facts: Facts): FactName[] {
  const named: Named[] = [...facts.declared().records, ...marksOf(facts)];
  return [...new Set<FactName>(["owners", "declared", ...named.flatMap((one) => lookFor(one).facts)])];
}

/** Returns what is left over: all of one stack, or all records and marks whose things do not exist. */
export function leftOver(facts: Facts, stack?: string): LeftOver[] {
  const isMeant = (one: Named & { readonly owner: string }) =>
    stack === undefined ? !lookFor(one).isThere(facts) : stackOf(one.owner) === stack;
  const { records, misfits } = facts.declared();
  const left = records.filter(isMeant);
  const things = new Set(left.map(({ owner, thing }) => `${owner} ${thing}`));
  const why = stack === undefined ? ", and nothing is there" : "";
  return [
    ...left.map((record) => ({
      text: `${record.thing} of ${claimant(record)}: a record${record.until === "boot" ? "" : " until the next reboot"}${why}`,
      step: takenFrom(record.until, printRecord(record)),
    })),
    ...(stack === undefined ? misfits : []).map(({ until, line }) => ({
      text: `${line.replaceAll("\t", " ")}: a line that is no record`,
      step: takenFrom(until, line),
    })),
    ...marksOf(facts)
      .filter((mark) => things.has(mark.line) || isMeant(mark))
      .map(({ line, thing, owner }) => ({
        text: `${thing} of ${owner}: a mark${things.has(line) ? "" : why}`,
        step: step(["unmark", line], ["mark", line]),
      })),
  ];
}

/**
 * Returns the resource that owns a record. The owner of a setting is a claim, which has the thing's id after
 * the resource.
 */
const claimant = ({ owner, thing }: DeclaredRecord): string => {
  const claimed = ` ${thing.slice(thing.indexOf(" ") + 1)}`;
  return owner.endsWith(claimed) ? owner.slice(0, -claimed.length) : owner;
};

function takenFrom(until: DeclaredRecord["until"], line: string): Step {
  const [put, take] = verbs[until];
  return step([take, line], [put, line]);
}
