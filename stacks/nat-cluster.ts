import type * as pulumi from "@pulumi/pulumi";
import { HostRoute } from "../providers/index.js";
import { checked } from "./check-cluster.js";
import type { ClusterArgs, DirectorArgs, ServiceArgs } from "./cluster/cluster.js";
import { adoption, Cluster, persisting } from "./cluster/component.js";
import { director, ipVs } from "./cluster/director.js";
import { forwardings } from "./cluster/families.js";
import { type ServerHost, serverHosts } from "./cluster/hosts.js";
import { type PackagesArgs, packages } from "./cluster/packages.js";
import { probes } from "./cluster/probe.js";
import { once } from "./cluster/shared.js";

/** Arguments of a NatCluster. */
export interface NatClusterArgs extends ClusterArgs {
  director: DirectorArgs & {
    /**
     * The director's address on the real servers' side (DIP), through which they answer. Default: none, but
     * required for `returnRoutes`.
     */
    dip?: pulumi.Input<string> | undefined;
    /** Interface on the real servers' side, on which ICMP redirects are disabled, too. Default: none. */
    insideInterface?: pulumi.Input<string> | undefined;
  };
  services: (ServiceArgs & {
    /** Port of the real servers, 1-65535. Default: the service's own. */
    realServerPort?: pulumi.Input<number> | undefined;
  })[];
  /**
   * Destinations that real servers reach through the director: `default`, or networks and addresses of
   * clients. Answers must return through the director, or clients see them from the wrong address. Needs
   * `director.dip`. Default: none, because they return that way already.
   */
  returnRoutes?: string[] | undefined;
  /**
   * Whether clusters of other stacks may have the return routes on the same real servers, too, if they set this and
   * have the same `director.dip`. The last cluster removes them. Default false.
   */
  sharedReturnRoutes?: boolean | undefined;
  /** Missing packages to install on the hosts first. Default: none. */
  packages?: PackagesArgs | undefined;
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
    super("lvs:index:NatCluster", name, {}, persisting(checked("nat", name, args), opts));
    const prepared = packages(this, name, args);
    const { insideInterface, interface: outside } = args.director;
    const interfaces = insideInterface ? [outside, insideInterface] : [outside];
    const module = ipVs(this, name, args, prepared);
    // A redirect would make real servers and clients bypass the director.
    const forward = forwardings(this, name, args, module, interfaces);
    const hosts = serverHosts(this, name, args, prepared, (host) => this.#realServer(args, host, prepared));
    const front = director(
      this,
      name,
      args,
      "masquerading",
      { director: forward, realServer: hosts },
      (service) => (service as NatClusterArgs["services"][number]).realServerPort ?? service.port ?? 0,
    );
    const vips = front.vipResources.map(({ resource }) => resource);
    probes(this, name, args, [...vips, ...front.entries]);
    this.show(front);
  }

  #realServer(
    args: NatClusterArgs,
    { server, at, common, settings }: ServerHost,
    dependsOn: pulumi.Resource[],
  ): pulumi.Resource[] {
    const { dip } = args.director;
    // The director answers clients itself.
    if (server.isDirector || dip === undefined) return [...settings];
    const back = args.sharedReturnRoutes === undefined ? {} : { shared: args.sharedReturnRoutes };
    const routes = (args.returnRoutes ?? []).map((destination) =>
      once(
        HostRoute,
        // Of two clusters that differ in this, each declares the route, and the second one is refused.
        [common.connection, destination, String(args.sharedReturnRoutes ?? false)],
        () =>
          new HostRoute(
            `${at}-route-${destination}`,
            { ...common, destination, via: dip, ...back, ...adoption(args) },
            { parent: this, dependsOn },
          ),
      ),
    );
    return [...settings, ...routes];
  }
}
