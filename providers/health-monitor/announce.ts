import { z } from "zod";
import { familyOf, hostAddress } from "../../src/values/address.js";
import type { Problem } from "../../src/values/problem.js";
import { type ServiceAddress, serviceFamily } from "../../src/values/service-address.js";

/** A host route that is there while enough real servers are up, for a routing daemon on the director. */
export interface Announce {
  /**
   * Routing table of the route, 1-4294967295, but not 253, 254 and 255, which are the kernel's own. Only the
   * routing daemon reads it.
   */
  table: number;
  /**
   * Address of the route, in the service's family. Default: the service's address, but required for a firewall
   * mark.
   */
  address?: string | undefined;
  /**
   * Sum of weights that must be up, 0-1000000. With 0 the route is always there, also while the sorry server
   * serves. Default 1.
   */
  weight?: number | undefined;
}

/** The schema of `announce`. @internal */
export const announce = z
  .strictObject({
    // 253, 254 and 255 are the kernel's own tables default, main and local.
    table: z
      .number()
      .int()
      .min(1)
      .max(4_294_967_295)
      .refine((table) => table < 253 || table > 255, "253, 254 and 255 are the kernel's own tables"),
    address: hostAddress.optional(),
    weight: z.number().int().min(0).max(1_000_000).default(1),
  })
  .nullable()
  .default(null);

/** IPv6 addresses in `::/96` and `::ffff:0:0/96`, which ip(8) prints in another form than this package. */
const containsIpv4 = /^::(ffff:)?[0-9a-f]{1,4}:[0-9a-f]{1,4}$/;

/** Returns why a route could not announce the service. @internal */
export function announceProblems(service: ServiceAddress, given: string | undefined): Problem[] {
  const problem = (reason: string) => [{ path: "announce.address", reason }];
  const address = given ?? ("fwmark" in service ? undefined : service.address);
  if (address === undefined) return problem("is missing: a firewall mark names no VIP");
  if (familyOf(address) !== serviceFamily(service))
    return problem(`${address} is not of the service's address family`);
  return containsIpv4.test(address)
    ? problem(`${address} contains an IPv4 address, and no route announces it; use another IPv6 address`)
    : [];
}
