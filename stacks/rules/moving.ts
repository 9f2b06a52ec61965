import { hasUnknown } from "../../providers/engine/inputs.js";
import { gatewaysOf } from "../cluster/directors/gateways.js";
import { directorsOf } from "../cluster/directors/model.js";
import { addressOf } from "../cluster/places.js";
import {
  firstAtEach,
  hostsOf,
  type Keyed,
  type Named,
  repeatedAcross,
  type StackRule,
  type View,
  vipAddress,
} from "./rule.js";

/** Returns whether a cluster puts its VIPs on other hosts than another one, as far as their hosts are known. */
function isElsewhere(one: View, other: View): boolean {
  const [here, there] = [one, other].map((view) => hostsOf(view).map(({ host }) => host));
  const isKnown = [one, other].every(({ args }, i) => directorsOf(args).length === [here, there][i]?.length);
  return isKnown && here?.sort().toString() !== there?.sort().toString();
}

/** Returns the addresses that directors of a cluster have for clients and real servers, each with its place. */
const addressesOf = (view: View): Keyed[] => [
  ...view.vips.map((vip) => ({ at: vip.at, key: vipAddress(vip) })),
  ...gatewaysOf(view.args).map(({ at, gateway }) => ({ at, key: addressOf(gateway.address) })),
];

/** Returns the virtual routers of a cluster, as messages name them. */
function routersOf(view: View): Keyed[] {
  const routerId = view.args.vrrp?.routerId;
  if (view.args.directors === undefined || typeof routerId !== "number") return [];
  return hostsOf(view).map(({ host, one }) => {
    const device = one.fields.interface;
    const key = hasUnknown(device) ? undefined : `${routerId} on ${device} of ${host}`;
    return { at: ["vrrp", "routerId"], key };
  });
}

/** Returns the first parts of the names of a cluster's resources, each with its place. */
const prefixesOf = ({ under, view }: Named): Keyed[] => {
  const name = String(under.at(-1));
  return [
    { at: [view.args.directors === undefined ? "director" : "directors"], key: name },
    ...(view.args.directors === undefined ? [] : directorsOf(view.args)).flatMap(({ at, name: director }) =>
      director === undefined ? [] : [{ at, key: `${name}-${director}` }],
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
    find: (clusters) =>
      repeatedAcross(
        clusters,
        ({ view }) => addressesOf(view),
        ({ key: address, view }, first, other) => {
          if (isElsewhere(view, first.view)) {
            const hosts = hostsOf(first.view).map(({ host }) => host);
            return `${address} is that of ${other} on ${hosts.join(" and ")}, too, and one host can have it only; write all of them in directors of one cluster, with vrrp`;
          }
          return [view, first.view].every(({ args }) => args.directors === undefined)
            ? undefined
            : `${address} is that of ${other}, too; write all services of it in that cluster`;
        },
      ),
  },
  {
    refuses: "one `vrrp.routerId` in two clusters on one interface of one director",
    remedy: "give each cluster its own",
    find: (clusters) =>
      firstAtEach(
        repeatedAcross(
          clusters,
          ({ view }) => routersOf(view),
          ({ key }, _, other) => `${key} is that of ${other}, too; give each cluster its own`,
        ),
      ),
  },
  {
    refuses:
      "one of `directors` whose name makes that of another cluster, such as `lb1` of `web` beside `web-lb1`",
    remedy: "give the director another `name`",
    find: (clusters) =>
      repeatedAcross(
        clusters,
        prefixesOf,
        ({ key }, _, other) =>
          `names of resources begin with ${key}, as those of ${other} do; give the director another name`,
      ),
  },
];
