import type { ClusterArgs, ServiceArgs } from "../args.js";
import { mapInput } from "../inputs.js";
import { addressOf, isMap, type Vip } from "../places.js";
import type { VrrpArgs } from "./args.js";
import { gatewaysOf } from "./gateways.js";
import { type Director, directorsOf } from "./model.js";

/** Returns whether a director without a server of the service gives the VIPs away. */
export const isTracked = ({ vrrp }: ClusterArgs, { health }: ServiceArgs): boolean =>
  vrrp?.trackServices !== false && Boolean(health);

/** Returns the other directors with an address, in an order that does not depend on that of `directors`. */
export function peersOf(args: ClusterArgs, one: Director): Director[] {
  const keyOf = ({ name, fields: { address } }: Director) => addressOf(address) ?? name ?? "";
  return directorsOf(args)
    .filter(({ index, fields }) => index !== one.index && fields.address !== undefined)
    .toSorted((a, b) => Number(keyOf(a) > keyOf(b)) - Number(keyOf(a) < keyOf(b)));
}

/** The highest priority, and the step to that of each next director. A service that is down takes 50. */
const [highestPriority, step] = [150, 10];

/** Seconds that a director with `sync` waits before it takes the VIPs. */
const syncDelay = 30;

const isSet = ([, value]: [string, unknown]) => value !== undefined;

/** Returns the fields of a director's VrrpInstance without `trackServices`. */
export function instanceOf(args: ClusterArgs, vips: readonly Vip[], one: Director) {
  const {
    trackServices: _,
    trackInterfaces,
    ...vrrp
  } = (isMap(args.vrrp) ? args.vrrp : {}) as Partial<VrrpArgs>;
  const { gateways: __, ...fields } = vrrp as typeof vrrp & { gateways?: unknown };
  const { interface: device, insideInterface, address } = one.fields;
  const gateways = gatewaysOf(args);
  // The interfaces of addresses count by themselves.
  const inside = insideInterface === undefined || gateways.length > 0 ? [] : [insideInterface];
  const tracked = mapInput(
    { list: trackInterfaces ?? [], inside, device },
    // While rules are checked an output is no list.
    ({ list, inside: more, device: own }) =>
      Array.isArray(list) ? [...list, ...more.filter((name) => name !== own && !list.includes(name))] : list,
  );
  // A director that comes back gets connections before the VIPs.
  const delayed =
    isMap(args.sync) && vrrp.preemptDelay === undefined
      ? {
          preemptDelay: mapInput(vrrp.preempt ?? true, (preempt) =>
            preempt === true ? syncDelay : undefined,
          ),
        }
      : {};
  return Object.fromEntries(
    Object.entries({
      ...{ ...fields, ...delayed },
      interface: device,
      priority: highestPriority - step * one.index,
      addresses: [
        ...vips.map(({ vip: { address: of, prefixLength } }) => ({ address: of, prefixLength })),
        ...gateways.map(({ gateway: { address: of, prefixLength } }) => ({
          ...{ address: of, prefixLength, interface: insideInterface },
        })),
      ].map((entry) => Object.fromEntries(Object.entries(entry).filter(isSet))),
      peers:
        address === undefined ? undefined : peersOf(args, one).map(({ fields: { address: peer } }) => peer),
      source: address,
      trackInterfaces: Array.isArray(tracked) && tracked.length === 0 ? undefined : tracked,
    }).filter(isSet),
  );
}
