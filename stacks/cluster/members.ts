import * as pulumi from "@pulumi/pulumi";
import { ipAddress } from "../../src/values/address.js";
import { type ClusterArgs, vipOf } from "./cluster.js";

// in one form, so that two ways of writing an address are one
const addressOf = (given: unknown): string | undefined => {
  const parsed = ipAddress.safeParse(given);
  return parsed.success ? String(parsed.data) : undefined;
};

/** Refuses a cluster that declares a VIP, a service or a real server twice, or two real servers of one name. */
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
  // they are part of the resources' names
  const names = realServers.map((server) => server.name ?? addressOf(server.address));
  for (const [i, one] of names.entries()) {
    const first = names.indexOf(one);
    if (one !== undefined && first < i)
      throw new pulumi.RunError(
        `${name}: realServers[${i}]: ${one} is the name of realServers[${first}], too; give it another name`,
      );
  }
}
