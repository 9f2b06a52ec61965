import type * as pulumi from "@pulumi/pulumi";
import type { ConnectionInput, Inputs } from "../../../providers/engine/resource-class.js";
import type { IpvsTimeoutsArgs } from "../../../providers/ipvs-timeouts.js";
import type { SyncDaemonArgs } from "../../../providers/sync-daemon.js";
import type { VrrpInstanceArgs } from "../../../providers/vrrp-instance/index.js";
import type { Conflict } from "../../../src/values/conflicts.js";

/** The machine that has the VIP and forwards connections. */
export interface DirectorArgs {
  /** How to reach the director: see Connection. */
  connection: ConnectionInput;
  /** Interface for the VIPs, such as `eth0`. */
  interface: pulumi.Input<string>;
  /**
   * Conflicting programs that may run there, because they leave the entries of this cluster alone. A
   * keepalived that does only VRRP is no such program. Default: none.
   */
  alongside?: Conflict[] | undefined;
  /** Seconds to remember idle connections: see IpvsTimeouts. Default: unchanged. */
  timeouts?: Inputs<IpvsTimeoutsArgs> | undefined;
  /** Sends connections to another director, or receives them: see SyncDaemon. Default: neither. */
  syncDaemon?: Inputs<SyncDaemonArgs> | undefined;
  /** Sysctls of the director by name, such as `{ net.ipv4.vs.expire_nodest_conn: 1 }`, set before there are services: see Sysctl. Default: none. */
  sysctls?: Record<string, pulumi.Input<string | number>> | undefined;
}

/** One of the directors that share the VIPs. If it leaves a field out, mostly the first one that has the field counts. */
export interface DirectorMember {
  /** How to reach the director: see Connection. */
  connection: ConnectionInput;
  /**
   * Part of the names of resources: letters, digits and `. _ : -`, at most 200. Default: the host of `connection`,
   * which must then not be an output.
   */
  name?: string | undefined;
  /** Interface for the VIPs and the advertisements, such as `eth0`. Default: that of the first director that has one. */
  interface?: pulumi.Input<string> | undefined;
  /**
   * The director's own address on `interface`, of the first VIP's family. If all directors have one, they send
   * advertisements to these addresses only. Default: none, and advertisements are multicast.
   */
  address?: pulumi.Input<string> | undefined;
  /** Interface of this director for `sync`. Default: that of `sync`. */
  mcastInterface?: pulumi.Input<string> | undefined;
  /**
   * Conflicting programs that may run there, because they leave the entries of this cluster alone. Default: those of
   * the first director that has some.
   */
  alongside?: Conflict[] | undefined;
  /** Seconds to remember idle connections: see IpvsTimeouts. Default: those of the first director that has some. */
  timeouts?: Inputs<IpvsTimeoutsArgs> | undefined;
  /** Sysctls of the director by name, set before there are services: see Sysctl. Default: those of the first director that has some. */
  sysctls?: Record<string, pulumi.Input<string | number>> | undefined;
}

/** How the VIPs move between directors: a VrrpInstance on each. */
export interface VrrpArgs
  extends Inputs<
    Pick<VrrpInstanceArgs, "version" | "advertInterval" | "preempt" | "trackInterfaces" | "garpRefresh">
  > {
  /** Virtual router id, 1-255, unique in the network. A change replaces the VrrpInstance of each director. */
  routerId: number;
  /**
   * Seconds, 0-1000, that a director waits before it takes the addresses from a master with a lower priority, so that
   * a SyncDaemon gets connections first. Default: 30 with `sync` unless `preempt` is false, else 0.
   */
  preemptDelay?: pulumi.Input<number> | undefined;
  /**
   * Whether a director gives the VIPs to another one if a service with `health` has no server that is up. Default
   * true.
   */
  trackServices?: boolean | undefined;
}

/** An address that real servers of a NatCluster send to, on the inside interface. It moves with the VIPs. */
export interface GatewayArgs {
  /** The address, IPv4 or IPv6. */
  address: pulumi.Input<string>;
  /** Prefix length of its network in bits, 1-32, or 1-128 for IPv6. Default 32 or 128: the address only. */
  prefixLength?: pulumi.Input<number> | undefined;
}

/** How connections get to the other directors: a SyncDaemon of each state on each. */
export interface SyncArgs extends Inputs<Omit<SyncDaemonArgs, "state">> {}
