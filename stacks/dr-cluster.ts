import * as pulumi from "@pulumi/pulumi";
import type { ArpSuppressionArgs } from "../providers/arp-suppression.js";
import { ArpSuppression, HostRoute, VirtualAddress } from "../providers/index.js";
import { checked } from "./check-cluster.js";
import type { ClusterArgs, VipArgs } from "./cluster/args.js";
import { Cluster } from "./cluster/component.js";
import { hostProbes } from "./cluster/directors/host-probes.js";
import { forwardings } from "./cluster/families.js";
import { type Frontend, frontend } from "./cluster/frontend.js";
import { type ServerHost, serverHosts } from "./cluster/hosts.js";
import { persisting } from "./cluster/inherited.js";
import { serversOf, vipsOf } from "./cluster/model.js";
import { once } from "./cluster/once.js";
import { type PackagesArgs, packages } from "./cluster/packages.js";
import type { Vip } from "./cluster/places.js";
import { fromLast, scopesOf } from "./cluster/scope.js";
import { ipVs, services } from "./cluster/services.js";

/** Arguments of a DrCluster. */
export interface DrClusterArgs extends ClusterArgs {
  /**
   * Interface and settings that stop real servers from answering ARP for the VIP: see ArpSuppression. Default
   * `lo` and `all`.
   */
  arp?: Pick<ArpSuppressionArgs, "interface" | "all"> | undefined;
  /** Name of an IPv4 VIP in ifconfig on the real servers. It begins with `lo:`. Default `lo:0`. */
  loopbackLabel?: string | undefined;
  /**
   * Whether each VIP has a route through its own interface, on director and real servers, as in the classic
   * scripts. Not on `directors`. Default true.
   */
  hostRoutes?: boolean | undefined;
  /** Whether to enable ip_forward on each director. LVS/DR does not need it. Default false. */
  ipForwarding?: boolean | undefined;
  /** Missing packages to install on the hosts first. Default: none. */
  packages?: PackagesArgs | undefined;
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
    super("lvs:index:DrCluster", name, {}, persisting(checked("dr", name, args), opts));
    const prepared = [...hostProbes(this, name, args), ...packages(this, name, args)];
    const hosts = serverHosts(this, name, args, prepared, (host) => this.#realServer(args, host, prepared));
    const frontends = fromLast(scopesOf(this, name, args), (scope, after) => {
      const module = ipVs(scope, [...prepared, ...after]);
      const forward = args.ipForwarding ? forwardings(scope, module) : [];
      const ready = { director: [module, ...forward], realServer: hosts };
      const pools = services(scope, "gatewaying", ready);
      const made = frontend(scope, pools);
      return { ...made, last: made.instance ? [made.instance] : this.#routes(args, made) };
    });
    const localnodes = serversOf(args).flatMap(({ isDirector, member }) =>
      isDirector ? [member.address] : [],
    );
    this.finish(name, args, frontends, localnodes);
  }

  /** Makes the route to each VIP. A VIP that moves has none: its source would be missing on the other directors. */
  #routes(args: DrClusterArgs, { scope, vips }: Frontend): pulumi.Resource[] {
    const { connection, interface: device } = scope.director.fields;
    return vips.map(({ vip, resource }) => {
      if (!(args.hostRoutes ?? true)) return resource;
      const { address } = vip.vip;
      const way = { destination: address, device, source: address };
      return once(HostRoute, [connection, address], () =>
        scope.make(
          HostRoute,
          `vip-route-${vip.name}`,
          { ...way, shared: vip.vip.shared, adopt: args.adopt },
          resource,
        ),
      );
    });
  }

  // ARP suppression comes before the VIP. Otherwise the real server would answer for the VIP in between.
  #realServer(
    args: DrClusterArgs,
    { server, at, common, settings }: ServerHost,
    dependsOn: pulumi.Resource[],
  ): pulumi.Resource[] {
    // The director has the VIP on its own interface, and must answer ARP for it.
    if (server.isDirector) return [...dependsOn, ...settings];
    const silence = new ArpSuppression(
      `${at}-arp`,
      { ...common, ...args.arp },
      { parent: this, dependsOn: [...dependsOn, ...settings] },
    );
    return vipsOf(args).map((vip) => this.#loopback(`${at}-vip-${vip.name}`, args, vip, common, silence));
  }

  #loopback(
    label: string,
    args: DrClusterArgs,
    { vip }: Vip,
    common: ServerHost["common"],
    silence: pulumi.Resource,
  ): pulumi.Resource {
    const { address: of } = vip;
    const address = once(
      VirtualAddress,
      [common.connection, "lo", of],
      () =>
        new VirtualAddress(
          label,
          {
            ...common,
            interface: "lo",
            address: of,
            ...loopback(args, vip),
            shared: vip.shared,
            adopt: args.adopt,
          },
          { parent: this, dependsOn: silence },
        ),
    );
    if (!(args.hostRoutes ?? true)) return address;
    return once(
      HostRoute,
      [common.connection, of],
      () =>
        new HostRoute(
          `${label}-route`,
          { ...common, destination: of, device: "lo", source: of, shared: vip.shared, adopt: args.adopt },
          { parent: this, dependsOn: address },
        ),
    );
  }
}

// Only IPv4 has label and broadcast.
const loopback = ({ loopbackLabel = "lo:0" }: DrClusterArgs, { address, broadcast }: VipArgs) => {
  if (typeof address === "string" && address.includes(":")) return {};
  const label =
    typeof address === "string"
      ? loopbackLabel
      : pulumi.output(address).apply((known) => (known.includes(":") ? null : loopbackLabel));
  return { label, ...(broadcast ? { broadcast } : {}) };
};
