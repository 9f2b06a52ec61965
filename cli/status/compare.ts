import { isDeepStrictEqual } from "node:util";
import type { Definition } from "../../providers/engine/define.js";
import { driftOf } from "../../providers/engine/difference.js";
import { type Bag, partsOf, plain, without } from "../../providers/engine/inputs.js";
import { engines } from "../../providers/provider.js";
import {
  clusterOf,
  type Deployment,
  type Entry,
  entriesOf,
  hostIn,
  oursOf,
  titleOf,
} from "../../rollback/deployment.js";
import { inClear } from "../../rollback/secrets.js";
import { FactError, type FactName, type Facts } from "../../src/facts/facts.js";
import { parseEndpoint } from "../../src/values/address.js";
import type { Group } from "../failover/instances.js";

/** A resource of the state on a director. */
interface Declared {
  readonly urn: string;
  /** `RealServer web-director1-…`. */
  readonly title: string;
  /** URN of the cluster that has it, if one has. */
  readonly cluster: string | undefined;
  readonly definition: Definition;
  readonly key: Bag;
  readonly config: Bag;
}

/** How a resource differs on its host from what the state says. */
export interface Drift {
  readonly resource: string;
  readonly what: string;
}

/** An entry of the table that is not the same on all directors. */
export interface Difference {
  /** As people type it: `tcp://192.168.0.219:80/192.168.0.221:80`. */
  readonly entry: string;
  /** What each director has, or null if it has none. */
  readonly on: Readonly<Record<string, Bag | null>>;
}

function declaredIn(entry: Entry, entries: ReadonlyMap<string, Entry>): Declared[] {
  const { urn, type, inputs } = entry;
  const definition = engines.get(type.split(":").at(-1) as string)?.definition;
  if (!definition?.record || !inputs) return [];
  const [title, cluster] = [titleOf(urn), clusterOf(entry, entries)];
  return [{ urn, title, cluster, definition, ...partsOf(definition, inClear(inputs) as Bag) }];
}

/** Returns the resources of a state on a host that can be read there. */
export function declaredOn(state: Deployment, host: string): Declared[] {
  const entries = entriesOf(state);
  return [...oursOf(state).values()]
    .filter(({ id }) => hostIn(id) === host)
    .flatMap((entry) => declaredIn(entry, entries));
}

/** Returns the facts that show the state of these resources. */
export const factsFor = (all: readonly Declared[]): FactName[] => [
  ...new Set(all.flatMap(({ definition, key, config }) => definition.facts(key, config))),
];

const haveOf = ({ definition, key, config }: Declared, facts: Facts): Bag | undefined =>
  definition.read(facts, key, config) as Bag | undefined;

/** Returns what differs, or the error if the host could not read it. */
export function whatDiffers(one: Declared, facts: Facts): string | FactError | undefined {
  try {
    return driftOf(haveOf(one, facts), one.config as Bag);
  } catch (error) {
    if (error instanceof FactError) return error;
    throw error;
  }
}

/** Returns how a host differs from what the state says. */
export const driftOn = (all: readonly Declared[], facts: Facts): Drift[] =>
  all.flatMap((one) => {
    const what = whatDiffers(one, facts);
    return what === undefined
      ? []
      : [{ resource: one.title, what: typeof what === "string" ? what : what.message }];
  });

const isEntry = ({ definition: { kind } }: Declared): boolean =>
  kind === "VirtualService" || kind === "RealServer";

/**
 * Checks that the host could read all that is compared.
 *
 * @throws FactError if not.
 */
export function checkFacts({ declared, facts }: Read): void {
  for (const one of declared.filter(isEntry)) haveOf(one, facts);
  for (const read of [() => facts.addresses(), () => facts.daemons()]) read();
}

/** A director whose host was read. */
export interface Read {
  readonly host: string;
  readonly declared: readonly Declared[];
  readonly facts: Facts;
}

const idOf = ({ definition, key }: Declared): string => definition.id(key);

/**
 * Returns the entries that the directors of a group have in common, by their ids: those of its clusters, and those that
 * each director declares. A director may have others, such as those of another pair.
 */
export function commonEntries(state: Deployment, { instances }: Group): Map<string, Declared> {
  const clusters = new Set(instances.map(({ cluster }) => cluster));
  const all = instances.map(({ host }) => declaredOn(state, host).filter(isEntry));
  const onEach = all.map((declared) => new Set(declared.map(idOf)));
  const isCommon = (one: Declared) =>
    (one.cluster !== undefined && clusters.has(one.cluster)) || onEach.every((ids) => ids.has(idOf(one)));
  return new Map(
    all
      .flat()
      .filter(isCommon)
      .map((one) => [idOf(one), one]),
  );
}

/** A part of a table that is compared. */
interface Part {
  readonly entry: string;
  /** The service of a server. */
  readonly service?: string;
  /** The address of a server. */
  readonly address?: string;
  readonly have: Bag;
}

/** Returns an entry in the table of a host. A service that owns its pool is itself and each of its servers. */
function partsIn(one: Declared, facts: Facts): Part[] {
  const { realServers, drain: _, ...have } = plain(haveOf(one, facts) ?? {}) as Bag;
  if (Object.keys(have).length === 0) return [];
  const { service, address } = one.key as { service?: string; address: string };
  const entry = idOf(one);
  const pool = Object.entries((realServers ?? {}) as Record<string, Bag>);
  return [
    { entry, have, ...(service === undefined ? {} : { service, address }) },
    ...pool.map(([at, server]) => ({
      ...{ entry: `${entry}/${at}`, service: entry, have: without(server, ["drain"]) },
      ...parseEndpoint(at),
    })),
  ];
}

/** Returns the entries of the tables that are not the same on all directors. */
export function differencesOf(
  common: ReadonlyMap<string, Declared>,
  directors: readonly Read[],
): Difference[] {
  const tables = directors.map(({ host, declared, facts }) => {
    const own = new Map(declared.filter(isEntry).map((one) => [idOf(one), one]));
    const parts = [...common].flatMap(([id, one]) => partsIn(own.get(id) ?? one, facts));
    return { host, facts, parts: new Map(parts.map((part) => [part.entry, part])) };
  });
  const isMissing = (entry: string) => {
    const count = tables.filter(({ parts }) => parts.has(entry)).length;
    return count > 0 && count < tables.length;
  };
  const entries = tables.flatMap(({ facts, parts }) => {
    const local = new Set(facts.addresses().map((one) => one.local));
    return (
      [...parts.values()]
        // A director that is a server itself has this entry alone. The servers of a missing service are missing with it.
        .filter(
          ({ address, service }) => !(address && local.has(address)) && !(service && isMissing(service)),
        )
        .map(({ entry }) => entry)
    );
  });
  return [...new Set(entries)].sort().flatMap((entry) => {
    const on = tables.map(({ host, parts }) => [host, parts.get(entry)?.have ?? null] as const);
    return on.every(([, have]) => isDeepStrictEqual(have, on[0]?.[1]))
      ? []
      : [{ entry, on: Object.fromEntries(on) }];
  });
}
