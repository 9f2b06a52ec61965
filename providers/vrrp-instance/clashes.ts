import type { Facts } from "../../src/facts/facts.js";
import type { LedgerRecord } from "../../src/facts/ledger.js";
import { plainText } from "../../src/values/foreign.js";
import type { Refusal } from "../engine/define.js";

const recordOf = (facts: Facts, isIt: (words: readonly string[]) => boolean): LedgerRecord | undefined =>
  facts.ledger().records.find(({ words }) => isIt(words));

/** Returns the refusal of addresses for a VRRP instance, if one is a VirtualAddress of the host. @internal */
export function heldAddress(facts: Facts, addresses: readonly string[]): Refusal | undefined {
  for (const address of addresses) {
    const held = recordOf(
      facts,
      ([verb, , at]) => verb === "address" && at?.startsWith(`${address}/`) === true,
    );
    if (held)
      return {
        reason: `${address} is a VirtualAddress there, of ${plainText(held.owner)}`,
        remedy: "remove that resource first: keepalived adds and removes the address",
      };
  }
  return undefined;
}

/** Returns the refusal of a VirtualAddress, if the address is one of a VRRP instance of the host. @internal */
export function floatingAddress(facts: Facts, address: string): Refusal | undefined {
  const instance = recordOf(facts, ([verb, ...addresses]) => verb === "vrrp" && addresses.includes(address));
  return (
    instance && {
      reason: `${address} is an address of a VrrpInstance there, of ${plainText(instance.owner)}`,
      remedy: "leave it to that resource, or take it out there first: keepalived adds and removes it",
    }
  );
}
