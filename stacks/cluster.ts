import * as pulumi from "@pulumi/pulumi";
import type { ConnectionInput } from "../providers/dynamic.js";
import { KernelModule, RealServer, VirtualAddress, VirtualService } from "../providers/index.js";
import type { Persistence, schedulers } from "../providers/virtual-service.js";

/** The machine that has the VIP and passes connections on. */
export interface DirectorArgs {
  /** How to reach it. */
  connection: ConnectionInput;
  /** Interface that carries the VIPs, such as `eth0`. */
  interface: string;
}

/** A VIP of the cluster, as the director carries it. */
export interface VipArgs {
  /** The virtual IP address. */
  address: pulumi.Input<string>;
  /** Bits of its network. Default: the address alone (32 or 128). */
  prefixLength?: number;
  /** Name that ifconfig shows on the director, such as `eth0:1`. Default: none. */
  label?: string;
  /** Broadcast address. Default: none. */
  broadcast?: string;
}

/** What is offered at each VIP: a port, or whatever packets carry a firewall mark. */
export interface ServiceArgs {
  /** `tcp` (default) or `udp`. */
  protocol?: "tcp" | "udp";
  /** Port at the VIP, 1-65535; 0 is every port, and needs persistence. */
  port?: number;
  /** Firewall mark instead of VIP and port. */
  fwmark?: number;
  /** Default `wlc`. */
  scheduler?: (typeof schedulers)[number];
  /** Default: none. */
  persistence?: Persistence;
}

/** A machine that answers. */
export interface RealServerMember {
  /** Part of the resources' names. Default: the address, which must then be no output. */
  name?: string;
  /** Its address (RIP). */
  address: pulumi.Input<string>;
  /** How to reach it. Default: it is not touched, and somebody else prepares it. */
  connection?: ConnectionInput;
  /** Share of new connections, 0-65535. Default 1. */
  weight?: pulumi.Input<number>;
}

/** What every kind of cluster takes. */
export interface ClusterArgs {
  /** The machine in front. */
  director: DirectorArgs;
  /** VIPs: addresses, or addresses with details. */
  vips: (string | VipArgs)[];
  /** What is offered at every VIP. */
  services: ServiceArgs[];
  /** Who answers; each stands behind every service. */
  realServers: RealServerMember[];
}

/** One line of the list of who stands behind what. */
export interface Member {
  /** The virtual service: `tcp://192.168.0.219:80`. */
  service: string;
  /** The real server's address (RIP). */
  address: string;
  /** The real server's port. */
  port: number;
  /** `gatewaying` or `masquerading`. */
  forwarding: string;
  /** Share of new connections. */
  weight: number;
}

/** Fields that `Cluster` classes show. */
export interface ClusterOutputs {
  /** The VIPs. */
  vips: pulumi.Output<string[]>;
  /** Ids of the virtual services. */
  services: pulumi.Output<string[]>;
  /** Every real server of every service. */
  members: pulumi.Output<Member[]>;
}

/** What the components have in common: what they show. */
export abstract class Cluster extends pulumi.ComponentResource implements ClusterOutputs {
  declare readonly vips: pulumi.Output<string[]>;
  declare readonly services: pulumi.Output<string[]>;
  declare readonly members: pulumi.Output<Member[]>;

  protected show({ vips, services, members }: ClusterOutputs): void {
    Object.assign(this, { vips, services, members });
    this.registerOutputs({ vips, services, members });
  }
}

type VirtualServiceKey = Pick<ServiceArgs, "protocol" | "port" | "fwmark"> & {
  address?: pulumi.Input<string>;
};

/** `192.168.0.1` or `{ address }`, as the latter. */
export const vipOf = (vip: string | VipArgs): VipArgs => (typeof vip === "string" ? { address: vip } : vip);

/** What a member is called in resource names. */
export function nameOf(
  what: string,
  { name, address }: { name?: string; address: pulumi.Input<string> },
): string {
  if (name !== undefined) return name;
  if (typeof address === "string") return address;
  throw new pulumi.RunError(
    `${what}: give it a name, because its address is not known while resources are named`,
  );
}

/**
 * The director's side, common to every way of forwarding: the module, then services, then their real servers once these are
 * `ready`, and the VIP last, so that nobody is let in before there is somebody to answer. Deletion goes the other way.
 */
export function director(
  cluster: pulumi.ComponentResource,
  name: string,
  args: ClusterArgs,
  forwarding: "gatewaying" | "masquerading",
  ready: { director: pulumi.Resource[]; realServer(member: RealServerMember): pulumi.Resource[] },
  portOf: (service: ServiceArgs) => number,
): ClusterOutputs & { vipResources: { vip: VipArgs; resource: VirtualAddress }[] } {
  const { connection } = args.director;
  const parent = cluster;
  const module = new KernelModule(`${name}-ip-vs`, { connection, name: "ip_vs" }, { parent });
  const keys = args.services.flatMap(
    (service, i): { label: string; key: VirtualServiceKey; service: ServiceArgs }[] => {
      const { protocol = "tcp", port, fwmark } = service;
      if (fwmark !== undefined) return [{ label: `fwmark-${fwmark}`, key: { fwmark }, service }];
      return args.vips.map(vipOf).map((vip) => ({
        label: `${protocol}-${nameOf(`vips of ${name}`, vip)}-${port ?? i}`,
        key: { protocol, address: vip.address, ...(port === undefined ? {} : { port }) },
        service,
      }));
    },
  );
  const pools = keys.map(({ label, key, service }) => {
    const virtualService = new VirtualService(
      `${name}-${label}`,
      { connection, ...key, scheduler: service.scheduler, persistence: service.persistence } as never,
      { parent, dependsOn: [module, ...ready.director] },
    );
    const realServers = args.realServers.map(
      (member) =>
        new RealServer(
          `${name}-${label}-${nameOf(`realServers of ${name}`, member)}`,
          {
            connection,
            service: virtualService.id,
            address: member.address,
            port: portOf(service),
            forwarding,
            ...(member.weight === undefined ? {} : { weight: member.weight }),
          },
          { parent, dependsOn: ready.realServer(member) },
        ),
    );
    return { virtualService, realServers };
  });
  const everything = pools.flatMap(({ virtualService, realServers }) => [virtualService, ...realServers]);
  const vipResources = args.vips.map(vipOf).map((vip) => ({
    vip,
    resource: new VirtualAddress(
      `${name}-vip-${nameOf(`vips of ${name}`, vip)}`,
      { connection, interface: args.director.interface, ...vip },
      { parent, dependsOn: everything },
    ),
  }));
  return {
    vipResources,
    vips: pulumi.output(vipResources.map(({ resource }) => resource.address)),
    services: pulumi.output(pools.map(({ virtualService }) => virtualService.id)),
    members: pulumi.output(
      pools.flatMap(({ realServers }) =>
        realServers.map(({ service, address, port, forwarding, weight }) => ({
          service,
          address,
          port,
          forwarding,
          weight,
        })),
      ),
    ),
  };
}
