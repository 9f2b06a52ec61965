import * as pulumi from "@pulumi/pulumi";
import { unknownValue } from "../../providers/engine/inputs.js";
import { type RealServerShare, share } from "../../providers/real-server/index.js";
import { familyOf } from "../../src/values/address.js";
import type { ClusterArgs, MemberArgs, RealServerMember, ServiceArgs, VipArgs } from "./args.js";
import { directorsOf } from "./directors/model.js";
import { addressOf, hostOf, isMap, listOf, nameIn, type Place, type Vip } from "./places.js";

/** A real server of a cluster, and its part of resource names. */
export interface Server {
  readonly at: Place;
  readonly name: string | undefined;
  readonly member: RealServerMember;
  /** True for a director itself, which has the VIPs already. */
  readonly isDirector: boolean;
  /** Which of the directors it is. It serves only while it has the VIPs: docs/two-directors.md says why. */
  readonly director: number | undefined;
}

/** A real server of one service, with what that service declares of it. */
export interface ServiceMember extends Server {
  readonly own: MemberArgs;
  /** The place of `own`. */
  readonly ownAt: Place;
}

/** A service at its VIPs, with its real servers. A service of a firewall mark has no VIP. */
export interface Pool {
  readonly at: Place;
  readonly index: number;
  readonly service: ServiceArgs;
  readonly vips: readonly Vip[];
  readonly members: readonly ServiceMember[];
}

/** Returns the VIPs of a cluster. */
export const vipsOf = ({ vips }: Pick<ClusterArgs, "vips">): Vip[] =>
  listOf(vips).flatMap((given, i) => {
    if (!isMap(given) && (typeof given !== "string" || given === unknownValue)) return [];
    const vip = (typeof given === "string" ? { address: given } : given) as unknown as VipArgs;
    return [{ at: ["vips", i], name: nameIn(vip), vip }];
  });

function serverAt(args: ClusterArgs, member: RealServerMember, at: Place): Server {
  const host = hostOf(member.connection);
  const own = [member.address, member.address6].flatMap((address) => addressOf(address) ?? []);
  const all = directorsOf(args);
  const one =
    (host === undefined ? undefined : all.find(({ fields }) => hostOf(fields.connection) === host)) ??
    all.find(({ fields }) => own.includes(addressOf(fields.address) ?? ""));
  const isDirector = (member.localnode ?? one !== undefined) === true;
  return { at, name: nameIn(member), member, isDirector, director: isDirector ? one?.index : undefined };
}

/** Returns the real servers that stand behind every service. */
const sharedServers = (args: ClusterArgs): Server[] =>
  listOf(args.realServers).flatMap((member, i) =>
    isMap(member) ? [serverAt(args, member as never, ["realServers", i])] : [],
  );

const ownServers = (args: ClusterArgs, service: ServiceArgs, index: number): Server[] =>
  listOf(service.realServers).flatMap((given, i) =>
    isMap(given) ? [serverAt(args, given as never, ["services", index, "realServers", i])] : [],
  );

const servicesOf = ({ services }: Pick<ClusterArgs, "services">): { service: ServiceArgs; index: number }[] =>
  listOf(services).flatMap((service, index) =>
    isMap(service) ? [{ service: service as never, index }] : [],
  );

/** Returns the real servers of a cluster: its own, then those of single services. */
export const serversOf = (args: ClusterArgs): Server[] => [
  ...sharedServers(args),
  ...servicesOf(args).flatMap(({ service, index }) => ownServers(args, service, index)),
];

/** Returns the VIPs that a service names, by name or address, or all of them. */
const chosenVips = (all: Vip[], { vips, fwmark }: ServiceArgs): Vip[] => {
  if (fwmark !== undefined) return [];
  if (vips === undefined) return all;
  return listOf(vips).flatMap((given) => all.filter((vip) => isNamed(vip, given)).slice(0, 1));
};

/** Returns whether a text names a VIP: its name, or its address in any spelling. */
export const isNamed = ({ name, vip }: Vip, given: unknown): boolean =>
  given === name || (addressOf(given) !== undefined && addressOf(given) === addressOf(vip.address));

function membersOf(args: ClusterArgs, service: ServiceArgs, index: number): ServiceMember[] {
  const shared = sharedServers(args);
  const own = ownServers(args, service, index);
  const servers =
    service.realServers === undefined
      ? shared
      : listOf(service.realServers).flatMap((given, i) =>
          typeof given === "string"
            ? shared.filter(({ name }) => name === given)
            : own.filter(({ at }) => at.at(-1) === i),
        );
  const overrides: Record<string, MemberArgs | null> = isMap(service.members)
    ? (service.members as never)
    : {};
  return servers.flatMap((server) => {
    const found = server.name !== undefined && Object.hasOwn(overrides, server.name);
    const override = found ? overrides[server.name as string] : undefined;
    if (override === null) return [];
    const ownAt = ["services", index, "members", server.name ?? ""];
    return [{ ...server, own: isMap(override) ? override : {}, ownAt }];
  });
}

/** Returns the services of a cluster with their VIPs and real servers, of all directors or of one. */
export const poolsOf = (args: ClusterArgs, director?: number): Pool[] => {
  const all = vipsOf(args);
  const isIn = (one: number | undefined) => one === undefined || director === undefined || one === director;
  return servicesOf(args).map(({ service, index }) => ({
    at: ["services", index],
    index,
    service,
    vips: chosenVips(all, service),
    members: membersOf(args, service, index).filter((member) => isIn(member.director)),
  }));
};

type VirtualServiceKey = Pick<ServiceArgs, "protocol" | "port" | "fwmark" | "family"> & {
  address?: pulumi.Input<string>;
};

/** A service at one VIP, and its part of resource names. */
interface Entry {
  readonly label: string;
  readonly key: VirtualServiceKey;
  readonly pool: Pool;
}

/** Returns a service at each of its VIPs. */
export function entriesOf(pool: Pool): Entry[] {
  const { protocol = "tcp", port, fwmark, family } = pool.service;
  if (fwmark !== undefined) {
    const label = `fwmark-${fwmark}${family === "ipv6" ? "-ipv6" : ""}`;
    return [{ label, key: { fwmark, family }, pool }];
  }
  return pool.vips.map(({ name, vip }) => ({
    label: `${protocol}-${name}-${port}`,
    key: { protocol, address: vip.address, port },
    pool,
  }));
}

/**
 * Returns a member's address of a VIP's family: `address6` for an IPv6 VIP, if it has one. Undefined means that it
 * has none of that family.
 */
export function addressFor(
  { address, address6 }: Pick<RealServerMember, "address" | "address6">,
  vip: string | undefined,
): pulumi.Input<string> | undefined {
  if (address6 === undefined || vip === undefined) return address;
  return familyOf(vip) === "ipv6" ? address6 : address;
}

/** Returns a member's address of the service's family. */
export const reachedAt = (
  { member }: ServiceMember,
  { address, family }: VirtualServiceKey,
): pulumi.Input<string> =>
  family === "ipv6"
    ? (addressFor(member, "::") ?? member.address)
    : address === undefined || typeof address === "string"
      ? (addressFor(member, address as string | undefined) ?? member.address)
      : pulumi.output(address).apply((vip) => pulumi.output(addressFor(member, vip) ?? member.address));

/** Returns the port of a service on its real servers. Only a NatCluster may have another one than clients use. */
export const serverPort = (service: ServiceArgs & { realServerPort?: pulumi.Input<number> | undefined }) =>
  service.realServerPort ?? service.port;

/** Returns the drain of a service, else that of the cluster. */
export const drainOf = ({ drain }: ClusterArgs, service: ServiceArgs) =>
  service.drain === undefined ? drain : service.drain;

/** Returns the fields of a member's RealServer, besides its service, address and forwarding. */
export function serverFields(args: ClusterArgs, { service }: Pool, member: ServiceMember) {
  const { port = serverPort(service) ?? 0, drain = drainOf(args, service) } = member.own;
  return { port, fields: { ...shareOf(member), ...(drain === undefined ? {} : { drain }) } };
}

/** Returns what a service declares of a member, else what the member declares. */
export function shareOf({ member, own }: ServiceMember): Pick<RealServerMember, keyof RealServerShare> {
  const all = Object.keys(share.shape) as (keyof RealServerShare)[];
  return Object.fromEntries(
    all.map((name) => [name, own[name] ?? member[name]]).filter(([, value]) => value !== undefined),
  );
}
