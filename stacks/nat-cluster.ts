import type * as pulumi from "@pulumi/pulumi";
import { HostRoute } from "../providers/index.js";
import { checked } from "./check-cluster.js";
import type { ClusterArgs, ServiceArgs } from "./cluster/args.js";
import { Cluster } from "./cluster/component.js";
import type { DirectorArgs, DirectorMember, GatewayArgs, VrrpArgs } from "./cluster/directors/args.js";
import { waysOf } from "./cluster/directors/gateways.js";
import { hostProbes } from "./cluster/directors/host-probes.js";
import { forwardings } from "./cluster/families.js";
import { clientFacing, frontend } from "./cluster/frontend.js";
import { type ServerHost, serverHosts } from "./cluster/hosts.js";
import { persisting } from "./cluster/inherited.js";
import { once } from "./cluster/once.js";
import { type PackagesArgs, packages } from "./cluster/packages.js";
import { fromLast, scopesOf } from "./cluster/scope.js";
import { ipVs, services } from "./cluster/services.js";

/** Arguments of a NatCluster. */
export interface NatClusterArgs extends ClusterArgs {
  director?:
    | (DirectorArgs & {
        /**
         * The director's address on the real servers' side (DIP), through which they answer. Default: none, but
         * required for `returnRoutes`.
         */
        dip?: pulumi.Input<string> | undefined;
        /** Interface on the real servers' side, on which ICMP redirects are disabled, too. Default: none. */
        insideInterface?: pulumi.Input<string> | undefined;
      })
    | undefined;
  directors?:
    | (DirectorMember & {
        /**
         * Interface on the real servers' side, on which ICMP redirects are disabled, too. `vrrp.gateways` are on it.
         * Default: that of the first director that has one.
         */
        insideInterface?: pulumi.Input<string> | undefined;
      })[]
    | undefined;
  vrrp?:
    | (VrrpArgs & {
        /**
         * Addresses of the directors on the real servers' side, through which they answer. The director that has the
         * VIPs has them. At most one of each family. Default: none, but required for `returnRoutes`.
         */
        gateways?: (string | GatewayArgs)[] | undefined;
      })
    | undefined;
  services: (ServiceArgs & {
    /** Port of the real servers, 1-65535. Default: the service's own. */
    realServerPort?: pulumi.Input<number> | undefined;
  })[];
  /**
   * Destinations that real servers reach through the director: `default`, or networks and addresses of
   * clients. Answers must return through the director, or clients see them from the wrong address. Needs
   * `director.dip`, or `vrrp.gateways`. Default: none, because they return that way already.
   */
  returnRoutes?: string[] | undefined;
  /**
   * Whether clusters of other stacks may have the return routes on the same real servers, too, if they set this and
   * have the same `director.dip` or gateway. The last cluster removes them. Default false.
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
    const prepared = [...hostProbes(this, name, args), ...packages(this, name, args)];
    const hosts = serverHosts(this, name, args, prepared, (host) => this.#realServer(args, host, prepared));
    const frontends = fromLast(scopesOf(this, name, args), (scope, after) => {
      const { insideInterface, interface: outside } = scope.director.fields;
      const interfaces = insideInterface ? [outside, insideInterface] : [outside];
      const module = ipVs(scope, [...prepared, ...after]);
      // A redirect would make real servers and clients bypass the director.
      const forward = forwardings(scope, module, interfaces);
      const ready = { director: forward, realServer: hosts };
      const made = frontend(scope, services(scope, "masquerading", ready));
      return { ...made, last: clientFacing(made) };
    });
    this.finish(name, args, frontends);
  }

  #realServer(
    args: NatClusterArgs,
    { server, at, common, settings }: ServerHost,
    dependsOn: pulumi.Resource[],
  ): pulumi.Resource[] {
    // A director answers clients itself.
    if (server.isDirector) return [...settings];
    const routes = waysOf(args).map(({ destination, via }) =>
      once(
        HostRoute,
        // Of two clusters that differ in this, each declares the route, and the second one is refused.
        [common.connection, destination, String(args.sharedReturnRoutes ?? false)],
        () =>
          new HostRoute(
            `${at}-route-${destination}`,
            { ...common, destination, via, shared: args.sharedReturnRoutes, adopt: args.adopt },
            { parent: this, dependsOn },
          ),
      ),
    );
    return [...settings, ...routes];
  }
}
