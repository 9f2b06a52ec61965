import * as pulumi from "@pulumi/pulumi";
import type { ConnectionInput, Inputs } from "../../providers/engine/resource-class.js";
import type { HealthMonitorArgs, HealthMonitorState } from "../../providers/health-monitor/index.js";
import type { IpvsTimeoutsArgs } from "../../providers/ipvs-timeouts.js";
import type { Drain, VirtualServiceOutputs } from "../../providers/real-server/drain-fields.js";
import type { RealServerArgs } from "../../providers/real-server/index.js";
import type { ProbeSpread, ServiceProbeArgs } from "../../providers/service-probe/index.js";
import type { SyncDaemonArgs } from "../../providers/sync-daemon.js";
import type { VirtualAddressArgs } from "../../providers/virtual-address.js";
import type { VirtualServiceArgs } from "../../providers/virtual-service.js";
import { ipAddress } from "../../src/values/address.js";
import type { Rival } from "../../src/values/conflicts.js";
import { show, whyNot } from "../../src/values/problem.js";
import { isMemberName, noMemberName } from "./member-name.js";

/**
 * A check at each VIP whether the cluster serves. It runs after everything is created and changed, and before
 * undeclared resources are deleted.
 */
export interface ProbeArgs
  extends Pick<ServiceProbeArgs, "status" | "contains" | "requests" | "failures" | "timeout" | "within">,
    Pick<ProbeSpread, "header"> {
  /** How to reach the host that runs the check, for example a client: see Connection. In LVS/DR not the director. */
  from: ConnectionInput;
  /** Ports to check by HTTP, 1-65535. The probe only connects to others. Default 80 and 8080. */
  http?: number[];
  /** Path of the request, from `/` on, at most 400 characters. Default `/`. */
  path?: string;
  /**
   * Number of real servers that must reply, 1-1000, told apart by `header` or by the first line of the body.
   * Default: not checked.
   */
  servers?: number;
  /**
   * Whether only the director may answer ARP requests for an IPv4 VIP. IPv6 VIPs are not checked. Default
   * false.
   */
  arp?: boolean;
}

/** The machine that has the VIP and forwards connections. */
export interface DirectorArgs {
  /** How to reach the director: see Connection. */
  connection: ConnectionInput;
  /** Interface for the VIPs, such as `eth0`. */
  interface: string;
  /**
   * Conflicting programs that may run there, because they leave the IPVS table alone. An example is a
   * keepalived that does only VRRP. Default: none.
   */
  alongside?: Rival[];
  /** Seconds to remember idle connections: see IpvsTimeouts. Default: unchanged. */
  timeouts?: IpvsTimeoutsArgs;
  /** Sends connections to another director, or receives them: see SyncDaemon. Default: neither. */
  syncDaemon?: SyncDaemonArgs;
}

/** A VIP of the cluster on the director. */
export interface VipArgs extends Pick<VirtualAddressArgs, "prefixLength" | "label" | "broadcast"> {
  /** Virtual IP address (VIP), IPv4 or IPv6. */
  address: pulumi.Input<string>;
}

/** A service at each VIP: a port, or all packets with a firewall mark. */
export interface ServiceArgs
  extends Pick<VirtualServiceArgs, "protocol" | "port" | "fwmark" | "scheduler" | "persistence"> {
  /** Checks of its real servers, which remove those that are down: see HealthMonitor. Default: none. */
  health?: Omit<HealthMonitorArgs, "service" | "agent">;
  /** Drain of its real servers before they go. `null`: no drain. Default: the cluster's `drain`. */
  drain?: Drain | null;
}

/** A machine that serves clients. */
export interface RealServerMember
  extends Inputs<Pick<RealServerArgs, "weight" | "upperThreshold" | "lowerThreshold">> {
  /**
   * Part of the names of resources: letters, digits and `. _ : -`, at most 200. Default: the address, which
   * must then not be an output.
   */
  name?: string;
  /** IPv4 or IPv6 address of the real server (RIP). */
  address: pulumi.Input<string>;
  /**
   * How to reach the real server: see Connection. Default: the cluster does not configure it, and it is
   * prepared by other means.
   */
  connection?: ConnectionInput;
  /**
   * Whether the configuration of this machine is restored when it reboots. Default: the cluster's `persist`.
   */
  persist?: boolean;
}

/** Arguments of every kind of cluster. */
export interface ClusterArgs {
  /** The machine that has the VIPs. */
  director: DirectorArgs;
  /** VIPs, at least one: addresses, or addresses with details. */
  vips: (string | VipArgs)[];
  /** Services at every VIP, at least one. */
  services: ServiceArgs[];
  /** Real servers, at least one, each of them behind every service. */
  realServers: RealServerMember[];
  /** Drain of real servers before they go, and when their weight becomes 0. Default `null`: no drain. */
  drain?: Drain | null;
  /**
   * Take over existing things with other settings, or of another stack, instead of refusing them. Default
   * false.
   */
  adopt?: boolean;
  /** Whether everything is restored when a host reboots: see `persist` of the resources. Default true. */
  persist?: boolean;
  /**
   * Check from a host of your choice that the cluster serves, after everything is created and changed. If it
   * does not, the update fails. The check runs when the cluster's own fields change, before undeclared
   * resources are deleted. `pulumi-lvs up --verify` also checks after deletions. Default: no check.
   */
  probe?: ProbeArgs;
}

/** A real server of a service. */
export interface Member {
  /** The virtual service: `tcp://192.168.0.219:80`. */
  service: string;
  /** The real server's address (RIP). */
  address: string;
  /** The real server's port. */
  port: number;
  /** `gatewaying` or `masquerading`. */
  forwarding: string;
  /** Share of new connections, 0-65535. */
  weight: number;
}

/** Outputs of `Cluster` classes. */
export interface ClusterOutputs {
  /** The VIPs. */
  vips: pulumi.Output<string[]>;
  /** Ids of the virtual services. */
  services: pulumi.Output<string[]>;
  /** Every real server of every service. */
  members: pulumi.Output<Member[]>;
  /**
   * State of each server with checks, by service and by server, at the last refresh or change of the checks.
   */
  health: pulumi.Output<Record<string, HealthMonitorState["health"]>>;
  /** Results of the last drains of deleted servers, by service, at its last refresh or change. */
  drained: pulumi.Output<Record<string, VirtualServiceOutputs["drained"]>>;
}

/** The base of the components, with their outputs. */
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

/** Returns a VIP as `{ address }`, for an address or a map. */
export const vipOf = (vip: string | VipArgs): VipArgs => (typeof vip === "string" ? { address: vip } : vip);

/** Returns a member's part of resource names. */
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

/** Refuses a slow start to a weight of 1, because there is no weight between 0 and 1. */
export function checkSlowStart(name: string, { services, realServers }: ClusterArgs): void {
  if (!services.some(({ health }) => (health?.slowStart ?? 0) > 0)) return;
  for (const member of realServers)
    if ((member.weight ?? 1) === 1)
      throw new pulumi.RunError(
        `realServers of ${name}: ${nameOf(`realServers of ${name}`, member)} has a weight of 1, with which health.slowStart has nothing to raise; give all of them weights such as 100`,
      );
}

/** Returns the component's options that pass the cluster's `persist` to each of its resources. */
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

/** Returns a member's own `persist` for the resources on its machine. Without one the cluster's applies. */
export const lasting = ({ persist }: RealServerMember): { persist?: boolean } =>
  persist === undefined ? {} : { persist };

/** Returns the `adopt` of each resource of a cluster. */
export const adoption = ({ adopt }: ClusterArgs): { adopt?: boolean } =>
  adopt === undefined ? {} : { adopt };
