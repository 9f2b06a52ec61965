import type { Facts } from "../../src/facts/facts.js";
import type { LedgerRecord } from "../../src/facts/ledger.js";
import type { Definition } from "./define.js";
import type { Bag } from "./inputs.js";
import { stackOf } from "./ledger.js";

/** The things that are deleted with the thing that contains them, by the host's ledger. */
interface Contained {
  /** The first of them that belongs to another stack. */
  readonly ofOtherStack: LedgerRecord | undefined;
  /** The records to delete. */
  readonly records: readonly LedgerRecord[];
}

/**
 * Returns the things that are deleted with the thing that contains them. Pulumi may never delete these things
 * itself (`deletedWith`, `retainOnDelete`, `state delete`). Their records would then restore them, or keep the
 * boot waiting for them. Records of another stack stay unless `all`.
 */
export function containedIn(
  facts: Facts,
  { contains }: Definition,
  key: Bag,
  owner: string,
  all: boolean,
): Contained {
  const records = contains?.(key, facts) ?? [];
  const isOurs = (record: LedgerRecord) => stackOf(record.owner) === stackOf(owner);
  return {
    ofOtherStack: records.find((record) => !isOurs(record)),
    records: records.filter((record) => all || isOurs(record)),
  };
}
