import type { Facts } from "../../src/facts/facts.js";
import { stackOf } from "../engine/ledger.js";
import { realServer } from "../real-server/index.js";
import { type Config, isServer, keyOf, type Pool } from "./pool-fields.js";

/** Returns the servers of a service that the host has records of, each with an owner. */
const recordsOf = (facts: Facts, service: string): [at: string, owner: string][] =>
  facts
    .ledger()
    .below(`RealServer ${service}`)
    .flatMap(({ thing, owner }) => {
      const at = thing.slice(thing.lastIndexOf("/") + 1);
      return isServer(at) ? [[at, owner]] : [];
    });

/** Returns the servers of one owner among records. */
const ofOwner = (records: ReturnType<typeof recordsOf>, owner: string | undefined): string[] => [
  ...new Set(records.flatMap(([at, of]) => (of === owner ? [at] : []))),
];

/** Returns the owner in the record of a service, or undefined if the host has none. */
export const ownerOf = (facts: Facts, service: string): string | undefined =>
  facts.ledger().of(`VirtualService ${service}`)[0]?.owner;

/** Returns the servers that the service itself has records of. */
export const ownServers = (facts: Facts, service: string): string[] =>
  ofOwner(recordsOf(facts, service), ownerOf(facts, service));

/** Returns those of them that drain. A member whose weight becomes 0 is one of them meanwhile. */
export function ownDraining(facts: Facts, service: string): string[] {
  const draining = facts.draining().flatMap((one) => (one.service === service ? [one.server] : []));
  return ownServers(facts, service).filter((at) => draining.includes(at));
}

/**
 * Returns the servers that a former pool has left behind: those that its service still has records of, although other
 * resources of the stack have servers of it. Before such a resource has come, all may still become resources.
 */
export function leftBehind(facts: Facts, service: string, owner: string | undefined): string[] {
  const records = owner === undefined ? [] : recordsOf(facts, service);
  const isSplit = records.some(([, of]) => of !== owner && stackOf(of) === stackOf(owner as string));
  return isSplit ? ofOwner(records, owner) : [];
}

/**
 * Returns the servers that are in a pool on the host: entries of the service, and records of the owner. An entry that
 * only others have a record of is theirs. A sorry server belongs to the health monitor. A record whose name is no
 * server is damaged, and does not count.
 */
export function serversOf(facts: Facts, service: string, owner: string | undefined): string[] {
  const owners = new Map<string, boolean>();
  for (const [at, of] of recordsOf(facts, service)) owners.set(at, owners.get(at) === true || of === owner);
  const health = facts.health().get(service);
  const entries = [...(facts.ipvs().get(service)?.realServers.keys() ?? [])].filter(
    (at) => owners.get(at) ?? health?.get(at) !== "sorry",
  );
  return [...new Set([...entries, ...[...owners].flatMap(([at, isOurs]) => (isOurs ? [at] : []))])];
}

/** Returns the servers of a pool on the host with their configs. Without a pool, it has what a former one has left. */
export function readPool(facts: Facts, service: string, want: Pool): Pool {
  const owner = ownerOf(facts, service);
  const servers = want
    ? new Set([...Object.keys(want), ...serversOf(facts, service, owner)])
    : leftBehind(facts, service, owner);
  const found = [...servers].flatMap((at): [string, Config][] => {
    const have = realServer.read(facts, keyOf(service, at), want?.[at]) as Config | undefined;
    return have ? [[at, have]] : [];
  });
  return want || found.length > 0 ? Object.fromEntries(found) : null;
}
