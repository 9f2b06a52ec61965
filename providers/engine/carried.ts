import type { Facts } from "../../src/facts/facts.js";
import { type DeclaredRecord, printRecord } from "../../src/facts/records.js";
import { type Step, step } from "../../src/host/step.js";
import type { Definition } from "./define.js";
import type { Bag } from "./inputs.js";
import { stackOf } from "./ownership.js";
import { verbs } from "./records.js";

/** The owner mark of a thing that goes along with another one. */
interface Mark {
  readonly owner: string;
  readonly line: string;
}

/** The things that go along with a deletion, by the records and owner marks on the host. */
export interface Carried {
  /** The host's line for a thing of another stack. */
  readonly guest: string | undefined;
  /** Steps that remove the records of what goes along. */
  readonly records: readonly Step[];
  /** Steps that remove the owner marks. */
  readonly marks: readonly Step[];
}

/**
 * Returns what goes along with a deletion. Pulumi may never delete these things itself (`deletedWith`,
 * `retainOnDelete`, `state delete`). Their records would then restore them, or keep the boot waiting for
 * them. Things of another stack stay unless `all`.
 */
export function carriedBy(
  facts: Facts,
  definition: Definition,
  key: Bag,
  owner: string,
  all: boolean,
): Carried {
  const { carries } = definition;
  if (!carries) return { guest: undefined, records: [], marks: [] };
  const records = facts.declared().records.filter((record) => carries(key, record, facts));
  const things = new Set(records.map(({ thing }) => thing));
  const marks = facts
    .owners()
    .flatMap((line) =>
      markOf(line, (thing) => things.has(thing) || carries(key, { thing, words: [] }, facts)),
    );
  const isOurs = (by: string) => all || stackOf(by) === stackOf(owner);
  const guest = [...marks, ...records.map(({ owner, thing }) => ({ owner, line: `${owner} ${thing}` }))].find(
    ({ owner: by }) => stackOf(by) !== stackOf(owner),
  );
  const taken = (record: DeclaredRecord) => {
    const [put, take] = verbs[record.until];
    return step([take, printRecord(record)], [put, printRecord(record)]);
  };
  return {
    guest: guest?.line,
    records: records.filter((record) => isOurs(record.owner)).map(taken),
    marks: marks
      .filter((mark) => isOurs(mark.owner))
      .map(({ line }) => step(["unmark", line], ["mark", line])),
  };
}

/** Returns the mark in a line `OWNER KIND ID`. A resource's name may have blanks. */
function markOf(line: string, isCarried: (thing: string) => boolean): Mark[] {
  for (let at = line.indexOf(" "); at >= 0; at = line.indexOf(" ", at + 1))
    if (isCarried(line.slice(at + 1))) return [{ owner: line.slice(0, at), line }];
  return [];
}
