import { hasUnknown } from "../../providers/engine/inputs.js";
import { type PlacedProblem, showPath } from "../../src/values/problem.js";
import { type Director, directorsOf, gatewaysOf } from "../cluster/directors.js";
import { addressOf, hostOf, type Place } from "../cluster/places.js";
import { type View, vipAddress } from "./rule.js";

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
    const host = hostOf(one.of.connection);
    return host === undefined ? [] : [{ host, one }];
  });

/** Returns whether a cluster puts its VIPs on other hosts than another one, as far as their hosts are known. */
function isElsewhere(one: View, other: View): boolean {
  const [here, there] = [one, other].map((view) => hostsOf(view).map(({ host }) => host));
  const isKnown = [one, other].every(({ args }, i) => directorsOf(args).length === [here, there][i]?.length);
  return isKnown && here?.sort().toString() !== there?.sort().toString();
}

/** Returns the addresses that directors of a cluster have for clients and real servers, each with its place. */
const addressesOf = (view: View): { at: Place; address: string | undefined }[] => [
  ...view.vips.map((vip) => ({ at: vip.at, address: vipAddress(vip) })),
  ...gatewaysOf(view.args).map(({ at, gateway }) => ({ at, address: addressOf(gateway.address) })),
];

/** Returns the first parts of the names of a cluster's resources, each with its place. */
const prefixesOf = ({ under, view }: Named): { at: Place; prefix: string }[] => {
  const name = String(under.at(-1));
  return [
    { at: [view.args.directors === undefined ? "director" : "directors"], prefix: name },
    ...(view.args.directors === undefined ? [] : directorsOf(view.args)).flatMap(({ at, name: director }) =>
      director === undefined ? [] : [{ at: at as Place, prefix: `${name}-${director}` }],
    ),
  ];
};

/** Rules about VIPs of clusters that have several directors, or should. @internal */
export const movingRules: readonly StackRule[] = [
  {
    refuses:
      "one VIP or gateway in two clusters on different directors, or in two clusters of which one has `directors`",
    remedy:
      "write all hosts in `directors` of one cluster; a VIP of another network needs a stack of its own",
    find: (clusters) => {
      const firsts = new Map<string, Named & { at: Place }>();
      return clusters.flatMap(({ under, view }) =>
        addressesOf(view).flatMap(({ at: place, address }): PlacedProblem[] => {
          if (address === undefined) return [];
          const first = firsts.get(address);
          if (!first) firsts.set(address, { under, view, at: place });
          if (!first || first.under === under) return [];
          const other = showPath([...first.under, ...first.at]);
          const at = [...under, ...place];
          if (isElsewhere(view, first.view)) {
            const hosts = hostsOf(first.view).map(({ host }) => host);
            const reason = `${address} is that of ${other} on ${hosts.join(" and ")}, too, and one host can have it only; write all of them in directors of one cluster, with vrrp`;
            return [{ at, reason }];
          }
          return [view, first.view].every(({ args }) => args.directors === undefined)
            ? []
            : [
                {
                  at,
                  reason: `${address} is that of ${other}, too; write all services of it in that cluster`,
                },
              ];
        }),
      );
    },
  },
  {
    refuses: "one `vrrp.routerId` in two clusters on one interface of one director",
    remedy: "give each cluster its own",
    find: (clusters) => {
      const firsts = new Map<string, { under: Place; said: string }>();
      return clusters.flatMap(({ under, view }) => {
        const routerId = view.args.vrrp?.routerId;
        if (view.args.directors === undefined || typeof routerId !== "number") return [];
        const found = hostsOf(view).flatMap(({ host, one }): string[] => {
          if (hasUnknown(one.of.interface)) return [];
          const said = `${routerId} on ${one.of.interface} of ${host}`;
          const first = firsts.get(said);
          if (!first) firsts.set(said, { under, said });
          return first && first.under !== under
            ? [
                `${said} is that of ${showPath([...first.under, "vrrp", "routerId"])}, too; give each cluster its own`,
              ]
            : [];
        });
        return found.slice(0, 1).map((reason) => ({ at: [...under, "vrrp", "routerId"], reason }));
      });
    },
  },
  {
    refuses:
      "one of `directors` whose name makes that of another cluster, such as `lb1` of `web` beside `web-lb1`",
    remedy: "give the director another `name`",
    find: (clusters) => {
      const firsts = new Map<string, { under: Place; at: Place }>();
      return clusters.flatMap(({ under, view }) =>
        prefixesOf({ under, view }).flatMap(({ at, prefix }): PlacedProblem[] => {
          const first = firsts.get(prefix);
          if (!first) firsts.set(prefix, { under, at });
          if (!first || first.under === under) return [];
          const reason = `names of resources begin with ${prefix}, as those of ${showPath([...first.under, ...first.at])} do; give the director another name`;
          return [{ at: [...under, ...at], reason }];
        }),
      );
    },
  },
];
