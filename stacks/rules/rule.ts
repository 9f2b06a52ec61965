import { type PlacedProblem, showPath } from "../../src/values/problem.js";
import type { ClusterArgs } from "../cluster/args.js";
import { type Director, directorsOf } from "../cluster/directors/model.js";
import { type Pool, poolsOf, type Server, serversOf, vipsOf } from "../cluster/model.js";
import { addressOf, hostOf, type Place, type Vip } from "../cluster/places.js";
import type { KindName } from "../cluster/schema.js";

/** A cluster as the rules see it. Outputs and values that are wrong by themselves are placeholders. */
export interface View {
  readonly kind: KindName;
  readonly args: ClusterArgs;
  readonly vips: readonly Vip[];
  readonly servers: readonly Server[];
  readonly pools: readonly Pool[];
  /** Returns whether the value at a place is an output or wrong, so that no rule may report its absence. */
  isUnknown(at: Place): boolean;
  /** Returns whether the value at a place is an output. */
  isOutput(at: Place): boolean;
}

/** Returns the view of a cluster. */
export const viewOf = (
  kind: KindName,
  args: ClusterArgs,
  { isUnknown, isOutput }: Pick<View, "isUnknown" | "isOutput">,
): View => ({
  kind,
  args,
  vips: vipsOf(args),
  servers: serversOf(args),
  pools: poolsOf(args),
  isUnknown,
  isOutput,
});

/** What crosses fields of a cluster and is refused. docs/configuration.md lists the rules, and a test compares. */
export interface Rule {
  /** What is refused, as in the docs. */
  readonly refuses: string;
  /** What to write instead, as in the docs. */
  readonly remedy: string;
  find(view: View): PlacedProblem[];
}

/** A place and what may stand there once only. */
export interface Keyed {
  readonly at: Place;
  readonly key: string | undefined;
}

/** Returns a problem at each entry whose key an earlier one has. */
export function repeated(
  entries: readonly Keyed[],
  reason: (key: string, first: string) => string,
): PlacedProblem[] {
  const firsts = new Map<string, Place>();
  return entries.flatMap(({ at, key }) => {
    if (key === undefined) return [];
    const first = firsts.get(key);
    firsts.set(key, first ?? at);
    return first ? [{ at, reason: reason(key, showPath(first)) }] : [];
  });
}

/** A cluster of a stack, and the keys that lead to it. */
export interface Named {
  readonly under: Place;
  readonly view: View;
}

/** What clusters of one stack may not do together. The docs list these rules, and a test compares. */
export interface StackRule {
  readonly refuses: string;
  readonly remedy: string;
  find(clusters: readonly Named[]): PlacedProblem[];
}

/** Returns the directors of a cluster whose host is known. */
export const hostsOf = ({ args }: View): { host: string; one: Director }[] =>
  directorsOf(args).flatMap((one) => {
    const host = hostOf(one.fields.connection);
    return host === undefined ? [] : [{ host, one }];
  });

/**
 * Returns a problem at each entry of a cluster whose key an entry of an earlier cluster has, unless there is no reason.
 * `other` is the path of that entry.
 */
export function repeatedAcross<Entry extends Keyed>(
  clusters: readonly Named[],
  entriesOf: (cluster: Named) => readonly Entry[],
  reason: (entry: Entry & Named, first: Entry & Named, other: string) => string | undefined,
): PlacedProblem[] {
  const firsts = new Map<string, Entry & Named>();
  return clusters.flatMap((cluster) =>
    entriesOf(cluster).flatMap((given) => {
      if (given.key === undefined) return [];
      const entry = { ...given, ...cluster };
      const first = firsts.get(given.key);
      if (!first) firsts.set(given.key, entry);
      if (!first || first.under === cluster.under) return [];
      const why = reason(entry, first, showPath([...first.under, ...first.at]));
      return why === undefined ? [] : [{ at: [...cluster.under, ...given.at], reason: why }];
    }),
  );
}

/** Returns the texts of a list with their indices. */
export const textsIn = (list: unknown): [number, string][] =>
  Array.isArray(list)
    ? list.flatMap((one, i) => (typeof one === "string" ? [[i, one] as [number, string]] : []))
    : [];

/** Returns a VIP's address in canonical text, or undefined if it is not known. */
export const vipAddress = ({ vip }: Vip): string | undefined => addressOf(vip.address);

/** Returns the problems without later ones at the same place. */
export const firstAtEach = (problems: readonly PlacedProblem[]): PlacedProblem[] =>
  problems.filter(({ at }, i) => problems.findIndex((other) => showPath(other.at) === showPath(at)) === i);

/** Returns the services of a pool, each as messages name it. */
export function keysOf({ at, service, vips }: Pool): Keyed[] {
  if (typeof service.fwmark === "number") return [{ at, key: markOf(service) }];
  if (typeof service.port !== "number") return [];
  const { protocol = "tcp", port } = service;
  // A VIP that stands twice has a rule of its own.
  const addresses = new Set(vips.map((vip) => vipAddress(vip) ?? vip.name));
  return [...addresses].map((address) => ({
    at,
    key: address === undefined ? undefined : `${protocol} port ${port} at ${address}`,
  }));
}

const markOf = ({ fwmark, family = "ipv4" }: Pool["service"]): string =>
  `fwmark ${fwmark}${family === "ipv6" ? " of IPv6" : ""}`;
