import * as pulumi from "@pulumi/pulumi";
import { without } from "../../providers/engine/inputs.js";
import { ServiceProbe } from "../../providers/index.js";
import type { ClusterArgs } from "./args.js";
import { isOutput } from "./inputs.js";
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
      const web = { status, contains, ...spread };
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

/** Returns the arguments that define the cluster. */
export const triggersOf = (args: ClusterArgs): object =>
  withoutConnections(without({ ...args }, ["probe", "adopt", "packages", "allowDown"])) as object;

/** Returns a value without the connections in it, which may be secret. No output has one inside. */
function withoutConnections(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutConnections);
  if (typeof value !== "object" || value === null || isOutput(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== "connection")
      .map(([name, inner]) => [name, withoutConnections(inner)]),
  );
}
