import * as pulumi from "@pulumi/pulumi";
import { HostRoute, IpForwarding } from "../providers/index.js";
import { destination as routeDestination } from "../src/values/address.js";
import { whyNot } from "../src/values/problem.js";
import {
  adoption,
  Cluster,
  type ClusterArgs,
  type DirectorArgs,
  lasting,
  nameOf,
  persisting,
  type RealServerMember,
  type ServiceArgs,
} from "./cluster/cluster.js";
import { director, ipVs } from "./cluster/director.js";
import { refuseTwice } from "./cluster/members.js";
import { type PackagesArgs, packages } from "./cluster/packages.js";
import { probes } from "./cluster/probe.js";

/** Arguments of a NatCluster. */
export interface NatClusterArgs extends ClusterArgs {
  director: DirectorArgs & {
    /**
     * The director's address on the real servers' side (DIP), through which they answer. Default: none, but
     * required for `returnRoutes`.
     */
    dip?: string;
    /** Interface on the real servers' side, on which ICMP redirects are disabled, too. Default: none. */
    insideInterface?: string;
  };
  services: (ServiceArgs & {
    /** Port of the real servers, 1-65535. Default: the service's own. */
    realServerPort?: number;
  })[];
  /**
   * Destinations that real servers reach through the director: `default`, or networks and addresses of
   * clients. Answers must return through the director, or clients see them from the wrong address. Needs
   * `director.dip`. Default: none, because they return that way already.
   */
  returnRoutes?: string[];
  /** Missing packages to install on the hosts first. Default: none. */
  packages?: PackagesArgs;
}

/**
 * An LVS/NAT cluster. The director rewrites packets both ways, so real servers need only the way back through
 * it.
 *
 * @example
 * const web = new lvs.NatCluster("web", {
 *   director: { connection: { host: "director1" }, interface: "eth0", insideInterface: "eth1", dip: "192.168.10.10" },
 *   vips: ["192.168.0.219"],
 *   services: [{ port: 80, scheduler: "rr" }],
 *   realServers: [{ address: "192.168.10.11", connection: { host: "web1" } }, { address: "192.168.10.12" }],
 *   returnRoutes: ["10.0.0.0/8"],
 * });
 */
export class NatCluster extends Cluster {
  constructor(name: string, args: NatClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lvs:index:NatCluster", name, {}, persisting(args, opts));
    refuseTwice(name, args);
    const prepared = packages(this, name, args);
    const { connection, dip, insideInterface, interface: outside } = args.director;
    const returnRoutes = args.returnRoutes ?? [];
    if (returnRoutes.length > 0 && dip === undefined) {
      throw new pulumi.RunError(`${name}: returnRoutes needs director.dip, the address that they go through`);
    }
    for (const [i, destination] of returnRoutes.entries()) {
      const reason = whyNot(routeDestination, destination);
      if (reason !== undefined) throw new pulumi.RunError(`${name}: returnRoutes[${i}]: ${reason}`);
    }
    const interfaces = insideInterface ? [outside, insideInterface] : [outside];
    const module = ipVs(this, name, args, prepared);
    // A redirect would tell real servers and clients to bypass the director.
    const forward = new IpForwarding(
      `${name}-forwarding`,
      { connection, sendRedirects: false, interfaces },
      { parent: this, dependsOn: module },
    );
    const routes = (member: RealServerMember) =>
      returnRoutes.map(
        (destination) =>
          new HostRoute(
            `${name}-${nameOf(`realServers of ${name}`, member)}-route-${destination}`,
            {
              connection: member.connection as never,
              destination,
              via: dip as string,
              ...lasting(member),
              ...adoption(args),
            },
            { parent: this, dependsOn: prepared },
          ),
      );
    const hosts = new Map(
      args.realServers.map((member) => [member, member.connection ? routes(member) : []]),
    );
    const front = director(
      this,
      name,
      args,
      "masquerading",
      { director: [forward], realServer: (member) => hosts.get(member) ?? [] },
      (service) => (service as NatClusterArgs["services"][number]).realServerPort ?? service.port ?? 0,
    );
    probes(
      this,
      name,
      args,
      front.vipResources.map(({ resource }) => resource),
    );
    this.show(front);
  }
}
