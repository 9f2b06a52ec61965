import type { Facts } from "../../src/facts/facts.js";
import { linkNamed } from "../../src/facts/ip-lists.js";
import { plainText } from "../../src/values/foreign.js";
import type { Refusal } from "./define.js";

/** Returns the refusal of an interface that the host does not have. It names those that it has. */
export function missingInterface(facts: Facts, name: string): Refusal | undefined {
  const links = facts.links();
  // Every host has `lo`, so an empty list proves nothing.
  if (links.length === 0 || linkNamed(links, name)) return undefined;
  const shown = links.map(({ ifname, altnames }) => [ifname, ...altnames].join(" or "));
  return {
    reason: `it has no interface ${name}`,
    remedy: `name one of its interfaces: ${plainText(shown.join(", "), 500)}`,
  };
}
