import { hasUnknown } from "../../providers/engine/inputs.js";
import type { PlacedProblem } from "../../src/values/problem.js";
import { waysOf } from "../cluster/directors/gateways.js";
import { type Director, daemonsOf, directorsOf, placeOf } from "../cluster/directors/model.js";
import { addressOf, hostOf, type Place } from "../cluster/places.js";
import { movingRules } from "./moving.js";
import {
  hostsOf,
  type Keyed,
  keysOf,
  type Named,
  repeatedAcross,
  type StackRule,
  type View,
  vipAddress,
} from "./rule.js";

/** A setting of a host that clusters declare. Its key names it. */
interface Setting extends Keyed {
  /** Its value, which must be the same in all of them. */
  readonly value: unknown;
}

/** Returns a problem wherever another cluster has another value of the same setting. */
const differing = (
  clusters: readonly Named[],
  settingsIn: (view: View) => Setting[],
  reason: (thing: string) => string,
): PlacedProblem[] =>
  repeatedAcross(
    clusters,
    ({ view }) => settingsIn(view).filter(({ value }) => !hasUnknown(value)),
    ({ key, value }, first, other) =>
      JSON.stringify(first.value) === JSON.stringify(value)
        ? undefined
        : `differs from ${other}; ${reason(String(key))}`,
  );

const pairsOf = (map: unknown): [string, unknown][] =>
  typeof map === "object" && map !== null ? Object.entries(map) : [];

const vipSettings = (view: View): Setting[] =>
  // A VIP that VRRP moves has a rule of its own.
  (view.args.directors === undefined ? hostsOf(view) : []).flatMap(({ host, one }) =>
    view.vips.flatMap(({ at, vip: { name: _, address, ...details } }) =>
      addressOf(address) === undefined
        ? []
        : [
            {
              at,
              key: `${addressOf(address)} on ${host}`,
              value: sorted({ ...details, interface: one.fields.interface }),
            },
          ],
    ),
  );

const loopbackSettings = (view: View): Setting[] => {
  if (view.kind !== "dr") return [];
  const { loopbackLabel = "lo:0", hostRoutes = true } = view.args as {
    loopbackLabel?: string;
    hostRoutes?: boolean;
  };
  return view.servers.flatMap(({ at, member, isDirector }) => {
    const host = hostOf(member.connection);
    return host === undefined || isDirector
      ? []
      : view.vips.map((vip) => ({
          at,
          key: `${vipAddress(vip)} on ${host}`,
          value: { loopbackLabel, hostRoutes },
        }));
  });
};

/** Returns the sync daemons of a director, each with its place. */
const placedDaemons = (args: View["args"], one: Director) => {
  const { syncDaemon } = one.fields;
  return [
    ...(syncDaemon === undefined ? [] : [{ at: [...one.at, "syncDaemon"], daemon: syncDaemon as object }]),
    ...daemonsOf(args, one).map((daemon) => ({ at: ["sync"], daemon })),
  ];
};

const directorSettings = (view: View): Setting[] =>
  hostsOf(view).flatMap(({ host, one }) => [
    ...pairsOf(one.fields.timeouts).map(([name, value]) => ({
      at: [...placeOf(one, "timeouts"), name],
      key: `the timeout ${name} of ${host}`,
      value,
    })),
    ...placedDaemons(view.args, one).map(({ at, daemon }) => ({
      at,
      key: `the ${(daemon as { state?: unknown }).state} sync daemon of ${host}`,
      value: sorted(daemon),
    })),
  ]);

const sysctlSettings = (view: View): Setting[] => [
  ...directorsOf(view.args).flatMap((one) => sysctlsOf(one.fields, placeOf(one, "sysctls"))),
  ...view.servers.flatMap(({ at, member }) => sysctlsOf(member, [...at, "sysctls"])),
];

const sysctlsOf = (of: { connection?: unknown; sysctls?: unknown } | undefined, at: Place): Setting[] => {
  const host = hostOf(of?.connection);
  return host === undefined
    ? []
    : pairsOf(of?.sysctls).map(([name, value]) => ({
        at: [...at, name],
        key: `${name} of ${host}`,
        value: String(value),
      }));
};

const sorted = (map: object): object =>
  Object.fromEntries(
    Object.entries(map)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const routeSettings = (view: View): Setting[] =>
  view.servers.flatMap(({ member, isDirector }) => {
    const host = hostOf(member.connection);
    return host === undefined || isDirector
      ? []
      : waysOf(view.args).map(({ at, destination, via }) => ({
          at,
          key: `the return route ${destination} of ${host}`,
          value: addressOf(via) ?? via,
        }));
  });

const oneValue = (thing: string) => `${thing} can have one value only; write the same in both clusters`;

/** The rules between clusters of one stack. @internal */
export const stackRules: readonly StackRule[] = [
  {
    refuses: "one protocol and port at one VIP, or one `fwmark`, in two clusters on one director",
    remedy: "give one of them another protocol, port or VIP",
    find: (clusters) =>
      repeatedAcross(
        clusters,
        ({ view }) =>
          view.pools.flatMap(keysOf).flatMap(({ at, key }) => {
            if (key === undefined) return [];
            return hostsOf(view).map(({ host }) => ({ at, key: `${key} on ${host}` }));
          }),
        ({ key }, _, other) => `${key} is that of ${other}, too; they need another protocol, port or VIP`,
      ),
  },
  ...movingRules,
  {
    refuses: "one VIP with other details in two clusters on one director",
    remedy: "write the same details in both; a VIP may be shared",
    find: (clusters) => differing(clusters, vipSettings, oneValue),
  },
  {
    refuses: "one VIP with another `loopbackLabel` or `hostRoutes` in two clusters on one real server",
    remedy: "write the same in both clusters",
    find: (clusters) => differing(clusters, loopbackSettings, oneValue),
  },
  {
    refuses: "one of `returnRoutes` by another `dip` or gateway in two clusters on one real server",
    remedy: "write both in one cluster; a real server answers through one director",
    find: (clusters) => differing(clusters, routeSettings, oneValue),
  },
  {
    refuses:
      "other `timeouts`, another `syncDaemon` of the same state or `sync`, in two clusters on one director",
    remedy: "write the same in both clusters, or write them once",
    find: (clusters) => differing(clusters, directorSettings, oneValue),
  },
  {
    refuses: "two values of one sysctl on one host",
    remedy: "write the same value in both",
    find: (clusters) => differing(clusters, sysctlSettings, oneValue),
  },
];
