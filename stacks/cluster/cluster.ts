import * as pulumi from "@pulumi/pulumi";
import type { ConnectionInput, Inputs } from "../../providers/engine/resource-class.js";
import type { HealthMonitorArgs, HealthMonitorState } from "../../providers/health-monitor/index.js";
import type { IpvsTimeoutsArgs } from "../../providers/ipvs-timeouts.js";
import type { Drain, VirtualServiceOutputs } from "../../providers/real-server/drain.js";
import type { RealServerArgs } from "../../providers/real-server/index.js";
import type { ProbeSpread, ServiceProbeArgs } from "../../providers/service-probe/index.js";
import type { SyncDaemonArgs } from "../../providers/sync-daemon.js";
import type { VirtualAddressArgs } from "../../providers/virtual-address.js";
import type { VirtualServiceArgs } from "../../providers/virtual-service.js";
import { ipAddress } from "../../src/values/address.js";
import type { Rival } from "../../src/values/conflicts.js";
import { show, whyNot } from "../../src/values/problem.js";
import { isMemberName, noMemberName } from "./member-name.js";

/** A question that a host asks at each VIP once all is made and changed, before what is no longer declared is deleted: whether the cluster serves. */
export interface ProbeArgs
  extends Pick<ServiceProbeArgs, "status" | "contains" | "requests" | "failures" | "timeout" | "within">,
    Pick<ProbeSpread, "header"> {
  /** How to reach the host that asks, a machine of a client for example. */
  from: ConnectionInput;
  /** Ports that are asked by HTTP; others are only connected to. Default 80 and 8080. */
  http?: number[];
  /** Path that is asked for. Default `/`. */
  path?: string;
  /** How many real servers must reply, told apart by `header` or by the first line of the body. Default: not looked at. */
  servers?: number;
  /** Whether the director alone must answer ARP requests for the VIP. IPv6 VIPs are not looked at. Default false. */
  arp?: boolean;
}

/** The machine that has the VIP and passes connections on. */
export interface DirectorArgs {
  /** How to reach it. */
  connection: ConnectionInput;
  /** Interface that carries the VIPs, such as `eth0`. */
  interface: string;
  /** Programs that may run there although they take the IPVS table for their own, such as a keepalived that does nothing but VRRP. Default: none. */
  alongside?: Rival[];
  /** How long it remembers idle connections; see IpvsTimeouts. Default: as it is. */
  timeouts?: IpvsTimeoutsArgs;
  /** Tells another director of its connections, or hears of that one's; see SyncDaemon. Default: neither. */
  syncDaemon?: SyncDaemonArgs;
}

/** A VIP of the cluster, as the director carries it. */
export interface VipArgs extends Pick<VirtualAddressArgs, "prefixLength" | "label" | "broadcast"> {
  /** The virtual IP address. */
  address: pulumi.Input<string>;
}

/** What is offered at each VIP: a port, or whatever packets carry a firewall mark. */
export interface ServiceArgs
  extends Pick<VirtualServiceArgs, "protocol" | "port" | "fwmark" | "scheduler" | "persistence"> {
  /** Checks its real servers and keeps those out that are down: see HealthMonitor. Default: none is checked. */
  health?: Omit<HealthMonitorArgs, "service" | "agent">;
  /** How its real servers are given time to finish before they go. Default: the cluster's `drain`; null: none. */
  drain?: Drain | null;
}

/** A machine that answers. */
export interface RealServerMember
  extends Inputs<Pick<RealServerArgs, "weight" | "upperThreshold" | "lowerThreshold">> {
  /** Part of the resources' names: letters, digits and `. _ : -`, at most 200. Default: the address, which must then be no output. */
  name?: string;
  /** Its address (RIP). */
  address: pulumi.Input<string>;
  /** How to reach it. Default: it is not touched, and somebody else prepares it. */
  connection?: ConnectionInput;
  /** Whether what is prepared on this machine comes back when it reboots. Default: the cluster's `persist`. */
  persist?: boolean;
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
  /** How real servers are given time to finish before they go, and when their weight becomes 0. Default null: none. */
  drain?: Drain | null;
  /** Take over what is there already with other settings, or belongs to another stack, instead of refusing. Default false. */
  adopt?: boolean;
  /** Whether all of it comes back when a host reboots; see `persist` of the resources. Default true. */
  persist?: boolean;
  /**
   * Ask from a host of your choice whether the cluster serves, once all of it is made and changed; the update fails where it does not.
   * Asked when the cluster's own fields change, before what is no longer declared is deleted: for removals there is `pulumi-lvs up --verify`.
   * Default: nobody asks.
   */
  probe?: ProbeArgs;
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
  /** How each server is, by service and by server, where there are checks: as of the last refresh, or change of the checks. */
  health: pulumi.Output<Record<string, HealthMonitorState["health"]>>;
  /** The last real servers that were waited for and have gone, by service: as of its last refresh or change. */
  drained: pulumi.Output<Record<string, VirtualServiceOutputs["drained"]>>;
}

/** What the components have in common: what they show. */
export abstract class Cluster extends pulumi.ComponentResource implements ClusterOutputs {
  declare readonly vips: pulumi.Output<string[]>;
  declare readonly services: pulumi.Output<string[]>;
  declare readonly members: pulumi.Output<Member[]>;
  declare readonly health: ClusterOutputs["health"];
  declare readonly drained: ClusterOutputs["drained"];

  protected show({ vips, services, members, health, drained }: ClusterOutputs): void {
    const outputs = { vips, services, members, health, drained };
    Object.assign(this, outputs);
    this.registerOutputs(outputs);
  }
}

/** `192.168.0.1` or `{ address }`, as the latter. */
export const vipOf = (vip: string | VipArgs): VipArgs => (typeof vip === "string" ? { address: vip } : vip);

/** What a member is called in resource names. */
export function nameOf(
  what: string,
  { name, address }: { name?: string; address: pulumi.Input<string> },
): string {
  if (name !== undefined && !isMemberName(name))
    throw new pulumi.RunError(`${what}: ${show(name)} ${noMemberName}`);
  if (name !== undefined) return name;
  const wrong = typeof address === "string" ? whyNot(ipAddress, address) : undefined;
  if (wrong !== undefined) throw new pulumi.RunError(`${what}: ${wrong}`);
  if (typeof address === "string") return address;
  throw new pulumi.RunError(
    `${what}: give it a name, because its address is not known while resources are named`,
  );
}

/** Refuses a slow start that could not be one: between nothing and a weight of 1 there is no weight. */
export function checkSlowStart(name: string, { services, realServers }: ClusterArgs): void {
  if (!services.some(({ health }) => (health?.slowStart ?? 0) > 0)) return;
  for (const member of realServers)
    if ((member.weight ?? 1) === 1)
      throw new pulumi.RunError(
        `realServers of ${name}: ${nameOf(`realServers of ${name}`, member)} has a weight of 1, with which health.slowStart has nothing to raise; give all of them weights such as 100`,
      );
}

/** The component's options, by which each of its resources hears what the cluster says of `persist`. */
export const persisting = (
  { persist }: ClusterArgs,
  opts: pulumi.ComponentResourceOptions = {},
): pulumi.ComponentResourceOptions => {
  if (persist === undefined) return opts;
  const tell: pulumi.ResourceTransformation = ({ type, props, opts: own }) =>
    type.startsWith("pulumi-nodejs:dynamic/lvs:")
      ? { props: { ...props, persist: props.persist ?? persist }, opts: own }
      : undefined;
  return { ...opts, transformations: [...(opts.transformations ?? []), tell] };
};

/** What each resource on a member's own machine is told about reboots; where the member says nothing, the cluster does. */
export const lasting = ({ persist }: RealServerMember): { persist?: boolean } =>
  persist === undefined ? {} : { persist };

/** What each resource of a cluster is told about things that are there already. */
export const adoption = ({ adopt }: ClusterArgs): { adopt?: boolean } =>
  adopt === undefined ? {} : { adopt };
