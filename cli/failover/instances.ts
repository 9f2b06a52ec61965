import { type Bag, connectionOf } from "../../providers/engine/inputs.js";
import {
  clusterOf,
  type Deployment,
  type Entry,
  entriesOf,
  nameIn,
  oursOf,
} from "../../rollback/deployment.js";
import { inClear } from "../../rollback/secrets.js";
import { type Connection, hostLabel } from "../../src/ssh/connection.js";
import { instanceName } from "../../src/vrrp/instance.js";

/** A VrrpInstance of a stack. */
export interface Instance {
  /** Its name in the program. */
  readonly resource: string;
  /** Names of the clusters and components that it is in. */
  readonly within: readonly string[];
  /** URN of the cluster that has it, if one has. */
  readonly cluster: string | undefined;
  readonly host: string;
  readonly connection: Connection;
  /** Its name in keepalived. */
  readonly name: string;
  readonly routerId: number;
  readonly address: string;
  /** The declared one. */
  readonly priority: number;
}

/** The instances of several directors that share addresses. */
export interface Group {
  /** The first address, which all of them have. */
  readonly address: string;
  readonly routerId: number;
  /** The preferred one first. */
  readonly instances: readonly Instance[];
}

/** Returns whether an entry of a state is a VRRP instance. */
export const isInstance = ({ type }: Entry): boolean => type.endsWith(":VrrpInstance");

function instanceOf(entry: Entry, entries: ReadonlyMap<string, Entry>): Instance[] {
  const bag = inClear(entry.outputs ?? {}) as Bag;
  const { interface: device, routerId, addresses } = bag as Partial<Record<string, unknown>>;
  const address = (addresses as { address?: unknown }[] | undefined)?.[0]?.address;
  const connection = connectionOf(bag);
  if (typeof connection?.host !== "string" || typeof device !== "string") return [];
  if (typeof routerId !== "number" || typeof address !== "string") return [];
  const within: string[] = [];
  for (let at = entry.parent; at !== undefined; at = entries.get(at)?.parent) within.push(nameIn(at));
  const name = instanceName({ interface: device, routerId });
  return [
    {
      ...{ resource: nameIn(entry.urn), within, cluster: clusterOf(entry, entries) },
      ...{ host: hostLabel(connection), connection },
      ...{ name, routerId, address, priority: Number(bag.priority) },
    },
  ];
}

/** Returns the VRRP instances of a stack. Those of one group have the same router id and first address. */
export function groupsOf(state: Deployment): Group[] {
  const entries = entriesOf(state);
  const groups = new Map<string, { address: string; routerId: number; instances: Instance[] }>();
  for (const entry of oursOf(state).values()) {
    if (!isInstance(entry)) continue;
    for (const one of instanceOf(entry, entries)) {
      const { address, routerId } = one;
      const key = `${routerId} ${address}`;
      const group = groups.get(key) ?? { address, routerId, instances: [] };
      group.instances.push(one);
      groups.set(key, group);
    }
  }
  // The engine's state has them in the order in which they were made, which differs from run to run.
  return [...groups.values()]
    .map(({ instances, ...group }) => ({ ...group, instances: instances.sort(byPreference) }))
    .sort((a, b) => a.routerId - b.routerId || a.address.localeCompare(b.address));
}

const byPreference = (a: Instance, b: Instance): number =>
  b.priority - a.priority || a.host.localeCompare(b.host);

/** Returns the groups of an instance or a cluster. */
export const namedBy = (groups: readonly Group[], name: string): Group[] =>
  groups.filter(({ instances }) =>
    instances.some(({ resource, within }) => resource === name || within.includes(name)),
  );

/** Returns the groups that a host takes part in. */
export const groupsOn = (groups: readonly Group[], host: string): Group[] =>
  groups.filter(({ instances }) => instances.some((one) => one.host === host));
