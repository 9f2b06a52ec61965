import * as pulumi from "@pulumi/pulumi";
import { ipAddress } from "../../src/values/address.js";
import { type ClusterArgs, vipOf } from "./cluster.js";

// The canonical form makes two spellings of an address equal.
const addressOf = (given: unknown): string | undefined => {
  const parsed = ipAddress.safeParse(given);
  return parsed.success ? String(parsed.data) : undefined;
};

/**
 * Refuses a cluster that declares a VIP, a service or a real server twice, or two real servers with one name.
 */
export function refuseTwice(name: string, { vips, services, realServers }: ClusterArgs): void {
  const lists: Record<string, (string | undefined)[]> = {
    vips: vips.map((vip) => addressOf(vipOf(vip).address)),
    services: services.map(({ protocol = "tcp", port, fwmark }) => {
      if (fwmark !== undefined) return `fwmark ${fwmark}`;
      return port === undefined ? undefined : `${protocol} port ${port}`;
    }),
    realServers: realServers.map(({ address }) => addressOf(address)),
  };
  for (const [list, all] of Object.entries(lists))
    for (const [i, one] of all.entries()) {
      const first = all.indexOf(one);
      if (one !== undefined && first < i)
        throw new pulumi.RunError(
          `${name}: ${list}[${i}]: ${one} is that of ${list}[${first}], too; take one of them out`,
        );
    }
  // The names are part of resource names.
  const names = realServers.map((server) => server.name ?? addressOf(server.address));
  for (const [i, one] of names.entries()) {
    const first = names.indexOf(one);
    if (one !== undefined && first < i)
      throw new pulumi.RunError(
        `${name}: realServers[${i}]: ${one} is the name of realServers[${first}], too; give it another name`,
      );
  }
}
