import type * as pulumi from "@pulumi/pulumi";
import type { ConnectionInput, Inputs } from "../../providers/engine/resource-class.js";
import type { HealthMonitorArgs, HealthMonitorState } from "../../providers/health-monitor/index.js";
import type { RealServer, VirtualService } from "../../providers/index.js";
import type { Drain, VirtualServiceOutputs } from "../../providers/real-server/drain-fields.js";
import type { RealServerShare } from "../../providers/real-server/index.js";
import type { ProbeSpread, ServiceProbeArgs } from "../../providers/service-probe/index.js";
import type { VirtualAddressArgs } from "../../providers/virtual-address.js";
import type { Persistence, VirtualServiceArgs } from "../../providers/virtual-service/index.js";
import type { DirectorArgs, DirectorMember, SyncArgs, VrrpArgs } from "./directors/args.js";

/**
 * A check at each VIP whether the cluster serves. It runs after everything is created and changed, and before
 * undeclared resources are deleted.
 */
export interface ProbeArgs
  extends Inputs<
      Pick<ServiceProbeArgs, "status" | "contains" | "requests" | "failures" | "timeout" | "within">
    >,
    Inputs<Pick<ProbeSpread, "header">> {
  /** How to reach the host that runs the check, for example a client: see Connection. In LVS/DR not the director. */
  from: ConnectionInput;
  /** Ports to check by HTTP, 1-65535. The probe only connects to others. Default 80 and 8080. */
  http?: number[] | undefined;
  /** Path of the request, from `/` on, at most 400 characters. Default `/`. */
  path?: pulumi.Input<string | undefined>;
  /**
   * Number of different real servers that must reply, 1-1000, by their `header` or the first line of the body.
   * Default: not checked.
   */
  servers?: pulumi.Input<number | undefined>;
  /**
   * Whether only the director may answer ARP requests for an IPv4 VIP. IPv6 VIPs are not checked. Default
   * false.
   */
  arp?: boolean | undefined;
}

/** A VIP of the cluster on the director. */
export interface VipArgs
  extends Inputs<Pick<VirtualAddressArgs, "prefixLength" | "label" | "broadcast" | "announce">> {
  /**
   * Whether clusters of other stacks may have this VIP, too, if they set this with the same details. It holds for its
   * addresses and routes on all hosts. The last cluster removes them. Default false.
   */
  shared?: pulumi.Input<boolean> | undefined;
  /**
   * Part of the names of resources, and the word for this VIP in `services[].vips`: letters, digits and
   * `. _ : -`, at most 200. Default: the address, which must then not be an output.
   */
  name?: string | undefined;
  /** Virtual IP address (VIP), IPv4 or IPv6. */
  address: pulumi.Input<string>;
}

/** What one service declares of a real server. The real server itself declares what it leaves out. */
export interface MemberArgs extends Inputs<RealServerShare> {
  /** Share of new connections, 0-65535. Default: the real server's own. */
  weight?: pulumi.Input<number> | undefined;
  /** Limit of connections, 0-65535. Default: the real server's own. */
  upperThreshold?: pulumi.Input<number> | undefined;
  /** Number of connections, 0-65535, below which it gets new ones again. Default: the real server's own. */
  lowerThreshold?: pulumi.Input<number> | undefined;
  /** Port of the server, 1-65535. Only a NatCluster can change ports. Default: that of the service. */
  port?: pulumi.Input<number> | undefined;
  /** Drain of the server in this service before it goes. `null`: no drain. Default: the service's `drain`. */
  drain?: Inputs<Drain> | null | undefined;
}

/** A service at each VIP: a port, or all packets with a firewall mark. */
export interface ServiceArgs
  extends Pick<VirtualServiceArgs, "protocol" | "port" | "fwmark" | "family">,
    Inputs<Pick<VirtualServiceArgs, "scheduler" | "schedulerFlags">> {
  /** Send a client to the same real server again (ipvsadm(8), --persistent). Default `null`: off. */
  persistence?: Inputs<Persistence> | null | undefined;
  /** VIPs of this service, by name or address. Default: all of the cluster. */
  vips?: string[] | undefined;
  /**
   * Real servers of this service: names of the cluster's, or others that only this service has. Default: all
   * of the cluster's.
   */
  realServers?: (string | RealServerMember)[] | undefined;
  /**
   * Differences of real servers in this service, by their name. `null` takes a server out of this service only.
   * Default: none.
   */
  members?: Record<string, MemberArgs | null> | undefined;
  /** Checks of its real servers, which remove those that are down: see HealthMonitor. Default: none. */
  health?: Inputs<Omit<HealthMonitorArgs, "service" | "agent">> | undefined;
  /** Drain of its real servers before they go. `null`: no drain. Default: the cluster's `drain`. */
  drain?: Inputs<Drain> | null | undefined;
  /** Whether the service and its real servers are one resource: see VirtualService. Default: the cluster's `pool`. */
  pool?: boolean | undefined;
}

/** A machine that serves clients. */
export interface RealServerMember extends Inputs<RealServerShare> {
  /**
   * Part of the names of resources: letters, digits and `. _ : -`, at most 200. Default: the address, which
   * must then not be an output.
   */
  name?: string | undefined;
  /** IPv4 or IPv6 address of the real server (RIP). */
  address: pulumi.Input<string>;
  /**
   * How to reach the real server: see Connection. Default: the cluster does not configure it, and it is
   * prepared by other means.
   */
  connection?: ConnectionInput | undefined;
  /** IPv6 address of a server whose `address` is IPv4, for IPv6 VIPs. Default: none. */
  address6?: pulumi.Input<string> | undefined;
  /**
   * Whether the real server is a director itself, which needs neither a VIP on `lo` nor ARP suppression. Default:
   * whether `connection` or `address` is that of a director.
   */
  localnode?: boolean | undefined;
  /** Sysctls of the real server by name: see Sysctl. They need `connection`. Default: none. */
  sysctls?: Record<string, pulumi.Input<string | number>> | undefined;
  /**
   * Whether the configuration of this machine is restored when it reboots. Default: the cluster's `persist`.
   */
  persist?: boolean | undefined;
}

/** Arguments of every kind of cluster. */
export interface ClusterArgs {
  /** The machine that has the VIPs. Default: none, but then `directors` is required. */
  director?: DirectorArgs | undefined;
  /**
   * Up to eight machines of which one has the VIPs, instead of `director`. The first one is preferred, then the second
   * one. Default: none.
   */
  directors?: DirectorMember[] | undefined;
  /** How the VIPs move between `directors`, which need it: by VRRP, see VrrpInstance. Default: none. */
  vrrp?: VrrpArgs | undefined;
  /**
   * Copies connections between `directors`, so that they survive a move: the fields of a SyncDaemon but for `state`.
   * Default: no copies.
   */
  sync?: SyncArgs | undefined;
  /**
   * Whether `pulumi-lvs up` leaves out one of `directors` that does not answer, and changes the others. The next one
   * brings it up to date. Default false: it then changes nothing.
   */
  allowDown?: boolean | undefined;
  /** VIPs, at least one: addresses, or addresses with details. */
  vips: (string | VipArgs)[];
  /** Services, at least one, each at every VIP, unless it names some of them. */
  services: ServiceArgs[];
  /**
   * Real servers, each of them behind every service, unless the service names some of them. Default: none, but
   * each service then needs real servers of its own.
   */
  realServers?: RealServerMember[] | undefined;
  /** Drain of real servers before they go, and when their weight becomes 0. Default `null`: no drain. */
  drain?: Inputs<Drain> | null | undefined;
  /**
   * Whether each service and its real servers are one resource, instead of one for each server: see VirtualService.
   * Default false.
   */
  pool?: boolean | undefined;
  /**
   * Take over existing things with other settings, or of another stack, instead of refusing them. Default
   * false.
   */
  adopt?: boolean | undefined;
  /** Whether everything is restored when a host reboots: see `persist` of the resources. Default true. */
  persist?: boolean | undefined;
  /**
   * Check from a host of your choice that the cluster serves, after everything is created and changed. If it
   * does not, the update fails. The check runs when the cluster's own fields change, before undeclared
   * resources are deleted. `pulumi-lvs up --verify` also checks after deletions. Default: no check.
   */
  probe?: ProbeArgs | undefined;
}

/** A real server of a service. */
export interface PoolMember {
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
  /** Ids of the virtual services, of each director. */
  services: pulumi.Output<string[]>;
  /** Every real server of every service. */
  members: pulumi.Output<PoolMember[]>;
  /**
   * State of each server with checks, by service and by server, at the last refresh or change of the checks. With
   * `directors` the service is an id, which begins with the director.
   */
  health: pulumi.Output<Record<string, HealthMonitorState["health"]>>;
  /** Why a server is in its state, by the same service and server. One that is simply `up` has no entry. */
  reasons: pulumi.Output<Record<string, HealthMonitorState["reasons"]>>;
  /** Results of the last drains of deleted servers, by service, at its last refresh or change. */
  drained: pulumi.Output<Record<string, VirtualServiceOutputs["drained"]>>;
  /** `master` or `backup`, by the name of each of `directors`, at the last refresh or change. Otherwise empty. */
  directors: pulumi.Output<Record<string, "master" | "backup">>;
}

/** Children of a cluster, for programs that go on from them. */
export interface ClusterChildren {
  /** The virtual services, in the order of `services` and `vips`, of each director. */
  virtualServices: VirtualService[];
  /** The real servers of each virtual service, in its order. A service with `pool` has none of its own here. */
  realServers: RealServer[];
}
