import type { Facts } from "../../src/facts/facts.js";
import { type DeclaredRecord, printRecord } from "../../src/facts/records.js";
import { type Step, step } from "../../src/host/step.js";
import type { Definition } from "./define.js";
import type { Bag } from "./inputs.js";
import { stackOf } from "./ownership.js";
import { verbs } from "./records.js";

/** A mark of what goes along with another thing. */
interface Mark {
  readonly owner: string;
  readonly line: string;
}

/** What goes along when a thing is deleted, as its records and marks on the host say it. */
export interface Carried {
  /** What belongs to another stack, as the host's line says it. */
  readonly guest: string | undefined;
  /** Takes away the records of what goes along. */
  readonly records: readonly Step[];
  /** Takes away the marks. */
  readonly marks: readonly Step[];
}

/**
 * Returns what a deletion takes along. Pulumi may never delete these itself (`deletedWith`, `retainOnDelete`, `state delete`), and
 * their records would bring them back, or keep the boot waiting for them. What is of another stack stays unless `all`.
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

/** A mark is `OWNER KIND ID`, and a resource's name may have blanks. */
function markOf(line: string, isCarried: (thing: string) => boolean): Mark[] {
  for (let at = line.indexOf(" "); at >= 0; at = line.indexOf(" ", at + 1))
    if (isCarried(line.slice(at + 1))) return [{ owner: line.slice(0, at), line }];
  return [];
}
