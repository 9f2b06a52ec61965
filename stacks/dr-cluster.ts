import type * as pulumi from "@pulumi/pulumi";
import type { ArpSuppressionArgs } from "../providers/arp-suppression.js";
import { ArpSuppression, HostRoute, IpForwarding, VirtualAddress } from "../providers/index.js";
import {
  adoption,
  Cluster,
  type ClusterArgs,
  lasting,
  nameOf,
  persisting,
  type RealServerMember,
  type VipArgs,
  vipOf,
} from "./cluster/cluster.js";
import { director, ipVs } from "./cluster/director.js";
import { refuseTwice } from "./cluster/members.js";
import { type PackagesArgs, packages } from "./cluster/packages.js";
import { probes } from "./cluster/probe.js";

/** Arguments of a DrCluster. */
export interface DrClusterArgs extends ClusterArgs {
  /**
   * Interface and settings that stop real servers from answering ARP for the VIP: see ArpSuppression. Default
   * `lo` and `all`.
   */
  arp?: Pick<ArpSuppressionArgs, "interface" | "all">;
  /** Name of an IPv4 VIP in ifconfig on the real servers. It begins with `lo:`. Default `lo:0`. */
  loopbackLabel?: string;
  /**
   * Whether each VIP has a route through its own interface, on director and real servers, as in the classic
   * scripts. Default true.
   */
  hostRoutes?: boolean;
  /** Whether to enable ip_forward on the director. LVS/DR does not need it. Default false. */
  ipForwarding?: boolean;
  /** Missing packages to install on the hosts first. Default: none. */
  packages?: PackagesArgs;
}

/**
 * An LVS/DR cluster. The director forwards packets unchanged. Real servers have the VIP on `lo`, do not
 * answer ARP for it, and answer clients directly.
 *
 * @example
 * const web = new lvs.DrCluster("web", {
 *   director: { connection: { host: "director1" }, interface: "eth0" },
 *   vips: ["192.168.0.210"],
 *   services: [{ port: 80 }],
 *   realServers: [
 *     { address: "192.168.0.221", connection: { host: "web1" } },
 *     { address: "192.168.0.222", connection: { host: "web2" }, weight: 2 },
 *   ],
 * });
 */
export class DrCluster extends Cluster {
  constructor(name: string, args: DrClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lvs:index:DrCluster", name, {}, persisting(args, opts));
    refuseTwice(name, args);
    const prepared = packages(this, name, args);
    const vips = args.vips.map(vipOf);
    const hosts = new Map(
      args.realServers.map((member) => [member, this.#realServer(name, args, member, vips, prepared)]),
    );
    const module = ipVs(this, name, args, prepared);
    const forward = args.ipForwarding
      ? [
          new IpForwarding(
            `${name}-forwarding`,
            { connection: args.director.connection },
            { parent: this, dependsOn: module },
          ),
        ]
      : [];
    const front = director(
      this,
      name,
      args,
      "gatewaying",
      { director: [module, ...forward], realServer: (member) => hosts.get(member) ?? [] },
      (service) => service.port ?? 0,
    );
    const routed = front.vipResources.map(({ vip, resource }) => {
      if (!(args.hostRoutes ?? true)) return resource;
      return new HostRoute(
        `${name}-vip-route-${nameOf(`vips of ${name}`, vip)}`,
        {
          connection: args.director.connection,
          destination: vip.address,
          device: args.director.interface,
          source: vip.address,
          ...adoption(args),
        },
        { parent: this, dependsOn: resource },
      );
    });
    probes(this, name, args, routed);
    this.show(front);
  }

  // ARP suppression comes before the VIP. Otherwise the real server would answer for the VIP in between.
  #realServer(
    name: string,
    args: DrClusterArgs,
    member: RealServerMember,
    vips: VipArgs[],
    dependsOn: pulumi.Resource[],
  ): pulumi.Resource[] {
    const { connection } = member;
    if (!connection) return [];
    const at = `${name}-${nameOf(`realServers of ${name}`, member)}`;
    const common = { connection, ...lasting(member) };
    const silence = new ArpSuppression(`${at}-arp`, { ...common, ...args.arp }, { parent: this, dependsOn });
    return vips.map((vip) => {
      const label = `${at}-vip-${nameOf(`vips of ${name}`, vip)}`;
      const address = new VirtualAddress(
        label,
        { ...common, interface: "lo", address: vip.address, ...loopback(args, vip), ...adoption(args) },
        { parent: this, dependsOn: silence },
      );
      if (!(args.hostRoutes ?? true)) return address;
      return new HostRoute(
        `${label}-route`,
        { ...common, destination: vip.address, device: "lo", source: vip.address, ...adoption(args) },
        { parent: this, dependsOn: address },
      );
    });
  }
}

// Only IPv4 has label and broadcast.
const loopback = ({ loopbackLabel = "lo:0" }: DrClusterArgs, { address, broadcast }: VipArgs) =>
  typeof address === "string" && address.includes(":")
    ? {}
    : { label: loopbackLabel, ...(broadcast ? { broadcast } : {}) };
