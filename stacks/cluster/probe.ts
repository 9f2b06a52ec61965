import * as pulumi from "@pulumi/pulumi";
import { ServiceProbe } from "../../providers/index.js";
import type { ClusterArgs } from "./args.js";
import { poolsOf } from "./model.js";

/**
 * Makes a probe of each TCP service that has a VIP and a port. A change of the cluster's arguments runs it
 * again, before undeclared resources are deleted.
 */
export function probes(
  cluster: pulumi.ComponentResource,
  name: string,
  args: ClusterArgs,
  dependsOn: pulumi.Resource[],
): void {
  if (!args.probe) return;
  const {
    from,
    http = [80, 8080],
    path = "/",
    servers,
    header,
    status,
    contains,
    arp,
    ...common
  } = args.probe;
  const spread = servers === undefined ? {} : { spread: { servers, ...(header ? { header } : {}) } };
  const triggers = triggersOf(args);
  for (const { service, vips } of poolsOf(args)) {
    const { protocol = "tcp", port, fwmark } = service;
    if (protocol !== "tcp" || !port || fwmark !== undefined) continue;
    for (const { vip, name: vipName } of vips) {
      const isHttp = http.includes(port);
      const web = {
        ...(status === undefined ? {} : { status }),
        ...(contains === undefined ? {} : { contains }),
        ...spread,
      };
      new ServiceProbe(
        `${name}-probe-${vipName}-${port}`,
        {
          connection: from,
          url: pulumi
            .all([vip.address, path])
            .apply(([address, page = "/"]) => urlOf(isHttp ? "http" : "tcp", address, port, page)),
          ...common,
          // IPv6 has no ARP.
          ...(arp ? { arp: pulumi.output(vip.address).apply((address) => !address.includes(":")) } : {}),
          ...(isHttp ? web : {}),
          // Of several directors it does not know which one has the VIP.
          ...(args.director ? { director: args.director.connection } : {}),
          triggers,
        },
        { parent: cluster, dependsOn },
      );
    }
  }
}

const urlOf = (scheme: string, address: string, port: number, path: string) =>
  `${scheme}://${address.includes(":") ? `[${address}]` : address}:${port}${scheme === "http" ? path : ""}`;

/** Returns the arguments that define the cluster. Connections are not among them, and may be secret. */
function triggersOf({ director, directors, realServers, ...args }: ClusterArgs) {
  const without = (bag: object, ...names: string[]) =>
    Object.fromEntries(Object.entries(bag).filter(([name]) => !names.includes(name)));
  return {
    ...without(args, "probe", "adopt", "packages", "allowDown"),
    ...(director ? { director: without(director, "connection") } : {}),
    ...(directors ? { directors: directors.map((one) => without(one, "connection")) } : {}),
    realServers: (realServers ?? []).map((member) => without(member, "connection")),
  };
}
