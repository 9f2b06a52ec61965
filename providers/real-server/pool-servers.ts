import type { Facts } from "../../src/facts/facts.js";
import { realServer } from "./index.js";
import { isServer, keyOf, type Pool } from "./pool-fields.js";

type Config = NonNullable<Pool>[string];

/**
 * Returns the servers that are in a pool on the host: entries of the service, and records of the owner. An entry that
 * only others have a record of is theirs. A sorry server belongs to the health monitor. A record whose name is no
 * server is damaged, and does not count.
 */
export function serversOf(facts: Facts, service: string, owner: string | undefined): string[] {
  const prefix = `RealServer ${service}/`;
  const owners = new Map<string, boolean>();
  for (const { thing, owner: of } of facts.ledger().records) {
    const at = thing.startsWith(prefix) ? thing.slice(prefix.length) : "";
    if (isServer(at)) owners.set(at, owners.get(at) === true || of === owner);
  }
  const health = facts.health().get(service);
  const entries = [...(facts.ipvs().get(service)?.realServers.keys() ?? [])].filter(
    (at) => owners.get(at) ?? health?.get(at) !== "sorry",
  );
  return [...new Set([...entries, ...[...owners].flatMap(([at, isOurs]) => (isOurs ? [at] : []))])];
}

/** Returns the servers of a pool on the host with their configs, or null if the pool is not wanted. */
export function readPool(facts: Facts, service: string, want: Pool): Pool {
  if (!want) return null;
  const owner = facts.ledger().of(`VirtualService ${service}`)[0]?.owner;
  const servers = new Set([...Object.keys(want), ...serversOf(facts, service, owner)]);
  return Object.fromEntries(
    [...servers].flatMap((at) => {
      const have = realServer.read(facts, keyOf(service, at), want[at]) as Config | undefined;
      return have ? [[at, have]] : [];
    }),
  );
}
