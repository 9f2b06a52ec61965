import * as pulumi from "@pulumi/pulumi";
import type { ServiceArgs } from "./cluster.js";
import { addressFor, type Pool, type PoolMember } from "./model.js";

type VirtualServiceKey = Pick<ServiceArgs, "protocol" | "port" | "fwmark" | "family"> & {
  address?: pulumi.Input<string>;
};

/** A service at one VIP, and its part of resource names. */
export interface Entry {
  readonly label: string;
  readonly key: VirtualServiceKey;
  readonly pool: Pool;
}

/** Returns a service at each of its VIPs. */
export function entriesOf(pool: Pool): Entry[] {
  const { protocol = "tcp", port, fwmark, family } = pool.service;
  if (fwmark !== undefined) {
    const ofFamily = family === undefined ? {} : { family };
    const label = `fwmark-${fwmark}${family === "ipv6" ? "-ipv6" : ""}`;
    return [{ label, key: { fwmark, ...ofFamily }, pool }];
  }
  return pool.vips.map(({ name, vip }) => ({
    label: `${protocol}-${name}-${port}`,
    key: { protocol, address: vip.address, ...(port === undefined ? {} : { port }) },
    pool,
  }));
}

/** Returns a member's address of the service's family. */
export const reachedAt = (
  { member }: PoolMember,
  { address, family }: VirtualServiceKey,
): pulumi.Input<string> =>
  family === "ipv6"
    ? (addressFor(member, "::") ?? member.address)
    : address === undefined || typeof address === "string"
      ? (addressFor(member, address as string | undefined) ?? member.address)
      : pulumi.output(address).apply((vip) => pulumi.output(addressFor(member, vip) ?? member.address));
