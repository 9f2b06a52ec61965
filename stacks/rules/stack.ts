import { hasUnknown } from "../../providers/engine/inputs.js";
import { type PlacedProblem, showPath } from "../../src/values/problem.js";
import { addressOf, hostOf, type Place } from "../cluster/model.js";
import { keysOf, type View, vipAddress } from "./rule.js";

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

/** Something on a host that clusters say, each with its place. */
interface Said {
  readonly at: Place;
  /** What it is about. */
  readonly thing: string;
  /** What is said of it, which must be the same everywhere. */
  readonly value: unknown;
}

/** Returns a problem wherever another cluster says another value of the same thing. */
function differing(
  clusters: readonly Named[],
  saidIn: (view: View) => Said[],
  reason: (thing: string) => string,
) {
  const firsts = new Map<string, { under: Place; said: Said }>();
  return clusters.flatMap(({ under, view }) =>
    saidIn(view).flatMap((said): PlacedProblem[] => {
      if (hasUnknown(said.value)) return [];
      const first = firsts.get(said.thing);
      if (!first) firsts.set(said.thing, { under, said });
      if (!first || first.under === under || JSON.stringify(first.said.value) === JSON.stringify(said.value))
        return [];
      const other = showPath([...first.under, ...first.said.at]);
      return [{ at: [...under, ...said.at], reason: `differs from ${other}; ${reason(said.thing)}` }];
    }),
  );
}

const directorOf = ({ args }: View): string | undefined => hostOf(args.director?.connection);

const entriesOf = (map: unknown): [string, unknown][] =>
  typeof map === "object" && map !== null ? Object.entries(map) : [];

const vipSettings = (view: View): Said[] => {
  const host = directorOf(view);
  const { interface: device } = view.args.director ?? {};
  return view.vips.flatMap(({ at, vip: { name: _, address, ...details } }) =>
    host === undefined || addressOf(address) === undefined
      ? []
      : [{ at, thing: `${addressOf(address)} on ${host}`, value: sorted({ ...details, interface: device }) }],
  );
};

const loopbackSettings = (view: View): Said[] => {
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
          thing: `${vipAddress(vip)} on ${host}`,
          value: { loopbackLabel, hostRoutes },
        }));
  });
};

const directorSettings = (view: View): Said[] => {
  const host = directorOf(view);
  const { timeouts, syncDaemon } = view.args.director ?? {};
  if (host === undefined) return [];
  const state = (syncDaemon as { state?: unknown } | undefined)?.state;
  return [
    ...entriesOf(timeouts).map(([name, value]) => ({
      at: ["director", "timeouts", name],
      thing: `the timeout ${name} of ${host}`,
      value,
    })),
    ...(syncDaemon === undefined
      ? []
      : [
          {
            at: ["director", "syncDaemon"],
            thing: `the ${state} sync daemon of ${host}`,
            value: sorted(syncDaemon),
          },
        ]),
  ];
};

const sysctlSettings = (view: View): Said[] => [
  ...said(view.args.director, ["director"]),
  ...view.servers.flatMap(({ at, member }) => said(member, at)),
];

const said = (of: { connection?: unknown; sysctls?: unknown } | undefined, at: Place): Said[] => {
  const host = hostOf(of?.connection);
  return host === undefined
    ? []
    : entriesOf(of?.sysctls).map(([name, value]) => ({
        at: [...at, "sysctls", name],
        thing: `${name} of ${host}`,
        value: String(value),
      }));
};

const sorted = (map: object): object =>
  Object.fromEntries(
    Object.entries(map)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const oneValue = (thing: string) => `${thing} can have one value only; write the same in both clusters`;

/** The rules between clusters of one stack. @internal */
export const stackRules: readonly StackRule[] = [
  {
    refuses: "one protocol and port at one VIP, or one `fwmark`, in two clusters on one director",
    remedy: "give one of them another protocol, port or VIP",
    find: (clusters) => {
      const firsts = new Map<string, { under: Place; at: Place }>();
      return clusters.flatMap(({ under, view }) =>
        view.pools.flatMap(keysOf).flatMap(({ at, key }): PlacedProblem[] => {
          const host = directorOf(view);
          if (host === undefined || key === undefined) return [];
          const first = firsts.get(`${host} ${key}`);
          if (!first) firsts.set(`${host} ${key}`, { under, at });
          if (!first || first.under === under) return [];
          const other = showPath([...first.under, ...first.at]);
          const reason = `${key} on ${host} is that of ${other}, too; they need another protocol, port or VIP`;
          return [{ at: [...under, ...at], reason }];
        }),
      );
    },
  },
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
    refuses: "other `timeouts`, another `syncDaemon` of the same state, in two clusters on one director",
    remedy: "write the same in both clusters, or write them once",
    find: (clusters) => differing(clusters, directorSettings, oneValue),
  },
  {
    refuses: "two values of one sysctl on one host",
    remedy: "write the same value in both",
    find: (clusters) => differing(clusters, sysctlSettings, oneValue),
  },
];
