import type * as pulumi from "@pulumi/pulumi";
import { familyOf } from "../../src/values/address.js";
import type { ClusterArgs, ServiceArgs } from "./cluster.js";
import type { DirectorArgs, DirectorMember, GatewayArgs, SyncArgs, VrrpArgs } from "./director-args.js";
import { later } from "./later.js";
import { addressOf, hostOf, isMap, listOf, nameIn, type Place, type Vip } from "./places.js";

/** A director of a cluster. */
export interface Director {
  readonly at: Place;
  readonly index: number;
  /** Its part of resource names. Undefined for the one of `director`, or if it is not known. */
  readonly name: string | undefined;
  /** Its fields, with those that it takes from other directors. */
  readonly of: DirectorArgs &
    Pick<DirectorMember, "address" | "mcastInterface"> & {
      readonly insideInterface?: pulumi.Input<string> | undefined;
      readonly dip?: pulumi.Input<string> | undefined;
    };
  /** The fields of its own. */
  readonly own: Readonly<Record<string, unknown>>;
  /** The places of the fields that it takes from other directors. */
  readonly taken: Readonly<Record<string, Place>>;
}

/** Fields that a director takes from the first one that has them. */
const common = ["interface", "insideInterface", "alongside", "timeouts", "sysctls"];

const given = (map: Record<string, unknown>): [string, unknown][] =>
  Object.entries(map).filter(([, value]) => value !== undefined);

/** Returns the directors of a cluster, the preferred one first. Values may be wrong while rules are checked. */
export function directorsOf({ director, directors }: ClusterArgs): Director[] {
  if (directors === undefined)
    return isMap(director)
      ? [{ at: ["director"], index: 0, name: undefined, of: director as never, own: director, taken: {} }]
      : [];
  const all = listOf(directors);
  // Earlier directors come later here, so their fields count.
  const shared = all
    .flatMap((own, index) =>
      given(isMap(own) ? own : {}).map(([field, value]) => ({
        field,
        value,
        at: ["directors", index, field],
      })),
    )
    .filter(({ field }) => common.includes(field))
    .reverse();
  const taken = Object.fromEntries(shared.map(({ field, at }) => [field, at]));
  return all.flatMap((own, index) => {
    if (!isMap(own)) return [];
    const { name, connection } = own as { name?: string; connection?: unknown };
    return [
      {
        ...{ at: ["directors", index], index, own, taken },
        name: nameIn({ name, address: hostOf(connection) }),
        of: {
          ...Object.fromEntries(shared.map(({ field, value }) => [field, value])),
          ...Object.fromEntries(given(own)),
        } as unknown as Director["of"],
      },
    ];
  });
}

/** Returns the place of a director's field: its own, or that of the director from which it takes it. */
export const placeOf = ({ at, own, taken }: Director, field: string): Place =>
  (own[field] === undefined ? taken[field] : undefined) ?? [...at, field];

/** Returns the other directors with an address, in an order that does not depend on that of `directors`. */
export function peersOf(args: ClusterArgs, one: Director): Director[] {
  const keyOf = ({ name, of: { address } }: Director) => addressOf(address) ?? name ?? "";
  return directorsOf(args)
    .filter(({ index, of }) => index !== one.index && of.address !== undefined)
    .toSorted((a, b) => Number(keyOf(a) > keyOf(b)) - Number(keyOf(a) < keyOf(b)));
}

/** Returns the two sync daemons of a director, which `sync` gives to each of several. */
export function daemonsOf({ sync, directors }: ClusterArgs, { of: { mcastInterface } }: Director) {
  if (!isMap(sync) || directors === undefined) return [];
  const fields: SyncArgs = { ...sync, ...(mcastInterface === undefined ? {} : { mcastInterface }) };
  return (["master", "backup"] as const).map((state) => ({ ...fields, state }));
}

/** Returns whether a director without a server of the service gives the VIPs away. */
export const isTracked = ({ vrrp }: ClusterArgs, { health }: ServiceArgs): boolean =>
  vrrp?.trackServices !== false && Boolean(health);

/** Returns the inside gateways of a NatCluster, which float with the VIPs. */
export const gatewaysOf = ({ vrrp }: Pick<ClusterArgs, "vrrp">): { at: Place; gateway: GatewayArgs }[] => {
  const { gateways } = (isMap(vrrp) ? vrrp : {}) as { gateways?: unknown };
  return listOf(gateways).flatMap((one, i) =>
    isMap(one) || typeof one === "string"
      ? [
          {
            at: ["vrrp", "gateways", i],
            gateway: (isMap(one) ? one : { address: one }) as unknown as GatewayArgs,
          },
        ]
      : [],
  );
};

/** Returns the return routes of a NatCluster whose way is known: the `dip`, or the gateway of their family. */
export function waysOf(args: ClusterArgs): { at: Place; destination: string; via: pulumi.Input<string> }[] {
  const { returnRoutes, director } = args as {
    returnRoutes?: unknown;
    director?: { dip?: pulumi.Input<string> };
  };
  const gateways = gatewaysOf(args).map(({ gateway }) => gateway.address);
  return listOf(returnRoutes).flatMap((destination, i) => {
    if (typeof destination !== "string") return [];
    const isWay = (gateway: unknown) =>
      addressOf(gateway) !== undefined &&
      (destination === "default" || familyOf(String(gateway)) === familyOf(destination));
    // One that is not known yet may be of each family.
    const unknown = () => gateways.find((gateway) => addressOf(gateway) === undefined);
    const via = args.directors === undefined ? director?.dip : (gateways.find(isWay) ?? unknown());
    return via === undefined ? [] : [{ at: ["returnRoutes", i], destination, via }];
  });
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
  const { interface: device, insideInterface, address } = one.of;
  const gateways = gatewaysOf(args);
  // The interfaces of addresses count by themselves.
  const inside = insideInterface === undefined || gateways.length > 0 ? [] : [insideInterface];
  const tracked = later(
    { list: trackInterfaces ?? [], inside, device },
    // While rules are checked an output is no list.
    ({ list, inside: more, device: own }) =>
      Array.isArray(list) ? [...list, ...more.filter((name) => name !== own && !list.includes(name))] : list,
  );
  // A director that comes back gets connections before the VIPs.
  const delayed =
    isMap(args.sync) && vrrp.preemptDelay === undefined
      ? { preemptDelay: later(vrrp.preempt ?? true, (preempt) => (preempt === true ? syncDelay : undefined)) }
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
      peers: address === undefined ? undefined : peersOf(args, one).map(({ of }) => of.address),
      source: address,
      trackInterfaces: Array.isArray(tracked) && tracked.length === 0 ? undefined : tracked,
    }).filter(isSet),
  );
}
