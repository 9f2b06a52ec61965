import { isDeepStrictEqual } from "node:util";
import type { Definition } from "../../providers/engine/define.js";
import { type Bag, contrast, partsOf, plain } from "../../providers/engine/inputs.js";
import { engines } from "../../providers/provider.js";
import { type Deployment, type Entry, hostIn, oursOf, titleOf } from "../../rollback/deployment.js";
import { inClear } from "../../rollback/secrets.js";
import { FactError, type FactName, type Facts } from "../../src/facts/facts.js";

/** A resource of the state on a director. */
export interface Declared {
  readonly urn: string;
  /** `RealServer web-director1-…`. */
  readonly title: string;
  readonly definition: Definition;
  readonly key: Bag;
  readonly config: Bag;
}

/** How a resource differs on its host from what the state says. */
export interface Drift {
  readonly urn: string;
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

function declaredIn({ urn, type, inputs }: Entry): Declared[] {
  const definition = engines.get(type.split(":").at(-1) as string)?.definition;
  if (!definition?.record || !inputs) return [];
  return [{ urn, title: titleOf(urn), definition, ...partsOf(definition, inClear(inputs) as Bag) }];
}

/** Returns the resources of a state on a host that can be read there. */
export const declaredOn = (state: Deployment, host: string): Declared[] =>
  [...oursOf(state).values()].filter(({ id }) => hostIn(id) === host).flatMap(declaredIn);

/** Returns the facts that tell how these resources are. */
export const factsFor = (all: readonly Declared[]): FactName[] => [
  ...new Set(all.flatMap(({ definition, key, config }) => definition.facts(key, config))),
];

const haveOf = ({ definition, key, config }: Declared, facts: Facts): Bag | undefined =>
  definition.read(facts, key, config) as Bag | undefined;

function whatDiffers(one: Declared, facts: Facts): string | undefined {
  try {
    const have = haveOf(one, facts);
    if (!have) return "it is not there";
    const [is, wanted] = [plain(have), plain(one.config)] as [Bag, Bag];
    return isDeepStrictEqual(is, wanted) ? undefined : contrast(is, wanted) || undefined;
  } catch (error) {
    if (error instanceof FactError) return error.message;
    throw error;
  }
}

/** Returns how a host differs from what the state says. */
export const driftOn = (all: readonly Declared[], facts: Facts): Drift[] =>
  all.flatMap((one) => {
    const what = whatDiffers(one, facts);
    return what === undefined ? [] : [{ urn: one.urn, resource: one.title, what }];
  });

const isEntry = ({ definition: { kind } }: Declared): boolean =>
  kind === "VirtualService" || kind === "RealServer";

/**
 * Checks that the host could tell all that is compared.
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

/** Returns whether a server is the director itself, which is in its own table only. */
const isItself = ({ key }: Declared, facts: Facts): boolean =>
  facts.addresses().some(({ local }) => local === key.address);

/** Returns the entries of the tables that are not the same on all directors. */
export function differencesOf(directors: readonly Read[]): Difference[] {
  const entries = new Map<string, Declared>();
  for (const { declared, facts } of directors)
    for (const one of declared)
      if (isEntry(one) && !isItself(one, facts)) entries.set(one.definition.id(one.key), one);
  return [...entries].sort(byName).flatMap(([entry, one]) => {
    const on = directors.map(({ host, facts }) => {
      const { drain: _, ...have } = haveOf(one, facts) ?? {};
      return [host, Object.keys(have).length > 0 ? (plain(have) as Bag) : null] as const;
    });
    const [first] = on;
    return on.every(([, have]) => isDeepStrictEqual(have, first?.[1]))
      ? []
      : [{ entry, on: Object.fromEntries(on) }];
  });
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0);
