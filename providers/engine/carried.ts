import type { Facts } from "../../src/facts/facts.js";
import type { LedgerRecord } from "../../src/facts/ledger.js";
import type { Definition } from "./define.js";
import type { Bag } from "./inputs.js";
import { stackOf } from "./ledger.js";

/** The things that go along with a deletion, by the host's ledger. */
export interface Carried {
  /** The first of them that belongs to another stack. */
  readonly guest: LedgerRecord | undefined;
  /** The records that go. */
  readonly records: readonly LedgerRecord[];
}

/**
 * Returns what goes along with a deletion. Pulumi may never delete these things itself (`deletedWith`,
 * `retainOnDelete`, `state delete`). Their records would then restore them, or keep the boot waiting for
 * them. Records of another stack stay unless `all`.
 */
export function carriedBy(
  facts: Facts,
  { carries }: Definition,
  key: Bag,
  owner: string,
  all: boolean,
): Carried {
  const along = carries?.(key, facts) ?? [];
  const isOurs = (record: LedgerRecord) => stackOf(record.owner) === stackOf(owner);
  return {
    guest: along.find((record) => !isOurs(record)),
    records: along.filter((record) => all || isOurs(record)),
  };
}
