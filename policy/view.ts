import { parseEndpoint } from "../src/values/address.js";
import {
  parseService,
  printService,
  type ServiceFields,
  serviceOf,
  withoutHost,
} from "../src/values/service-address.js";

export type Bag = Readonly<Record<string, unknown>>;

/** A resource of this package as rules see it. */
export interface Seen {
  /** Last part of the type: `RealServer`. */
  readonly kind: string;
  readonly name: string;
  readonly urn: string;
  /** Properties. One that a preview does not know is absent. */
  readonly props: Bag;
  readonly isProtected: boolean;
  /** URNs of all resources of this package that it depends on, also through others. */
  readonly needs: ReadonlySet<string>;
  /** Whether a cluster has it as the director's own address. */
  readonly isLocalnode?: boolean;
  /** The director's own addresses, of a service in a cluster. */
  readonly localnodes?: readonly unknown[];
}

/** What a rule evaluates. */
export interface View {
  readonly resources: readonly Seen[];
  /** Tags of the stack. */
  readonly tags: ReadonlyMap<string, string>;
  /** Resources of the state before the update, if it is given. */
  readonly before?: readonly Seen[];
}

export interface Violation {
  readonly message: string;
  /** The resource. Without it, the violation is one of the stack. */
  readonly urn?: string;
}

const typePrefix = "pulumi-nodejs:dynamic/lvs:";

/** Returns the kind of a resource of this package. */
export const kindOf = (type: string): string | undefined =>
  type.startsWith(typePrefix) ? type.slice(typePrefix.length) : undefined;

/** Returns the host that a resource is on, as its connection names it. */
export function hostOf({ props }: Seen): string {
  const { host = "unknown host", port } = (props.connection ?? {}) as Bag;
  return port === undefined || port === 22 ? String(host) : `${host}:${port}`;
}

/** Returns the service of a resource, such as `tcp://192.168.0.210:80`. It is absent if the preview does not know it. */
export function serviceNameOf({ kind, props }: Seen): string | undefined {
  if (kind === "VirtualService") {
    const fields = props as ServiceFields;
    const isKnown =
      fields.fwmark !== undefined || (fields.address !== undefined && fields.port !== undefined);
    return isKnown ? printService(serviceOf(fields)) : undefined;
  }
  if (typeof props.service !== "string") return undefined;
  const service = parseService(withoutHost(props.service));
  return service && printService(service);
}

/** Returns the real servers that a resource declares: itself, or those of the pool of a service. */
export function realServersOf(one: Seen): Seen[] {
  if (one.kind === "RealServer") return [one];
  const { connection, realServers } = one.props;
  const service = one.kind === "VirtualService" ? serviceNameOf(one) : undefined;
  if (service === undefined || typeof realServers !== "object" || realServers === null) return [];
  return Object.entries(realServers as Record<string, Bag>).flatMap(([at, fields]) => {
    const end = parseEndpoint(at);
    const props = { ...fields, ...end, connection, service };
    const isLocalnode = one.localnodes?.includes(end?.address) === true;
    return end ? [{ ...one, kind: "RealServer", name: `${at} of ${one.name}`, props, isLocalnode }] : [];
  });
}

/** A virtual service of one director, with its real servers. */
export interface Pool {
  readonly director: string;
  readonly service: string;
  readonly servers: readonly Seen[];
  /** The service itself. Another stack may declare it. */
  readonly declared?: Seen;
}

/** Groups services and real servers by director and service. */
export function poolsOf(resources: readonly Seen[]): Pool[] {
  const pools = new Map<string, { director: string; service: string; servers: Seen[]; declared?: Seen }>();
  for (const one of resources) {
    if (!["VirtualService", "RealServer"].includes(one.kind)) continue;
    const [director, service] = [hostOf(one), serviceNameOf(one)];
    if (service === undefined) continue;
    const key = `${director} ${service}`;
    const pool = pools.get(key) ?? { director, service, servers: [] };
    pool.servers.push(...realServersOf(one));
    if (one.kind === "VirtualService") pool.declared = one;
    pools.set(key, pool);
  }
  return [...pools.values()];
}

/** Returns the weight of a real server. One that the preview does not know counts as the default. */
export const weightOf = ({ props }: Seen): number => (typeof props.weight === "number" ? props.weight : 1);

/** Returns whether a list of exceptions names a pool by its service, or by the name of the service's resource. */
export const isExcepted = (list: readonly string[], { service, declared }: Pool): boolean =>
  list.includes(service) || (declared !== undefined && list.includes(declared.name));
