import { z } from "zod";
import { addressBits, ipAddress, portOrAny } from "../../src/values/address.js";
import type { Problem } from "../../src/values/problem.js";
import { maxFwmark, serviceFamily, serviceOf } from "../../src/values/service-address.js";

/** @internal */
export const key = z.strictObject({
  protocol: z.enum(["tcp", "udp"]).optional(),
  address: ipAddress.optional(),
  port: portOrAny.optional(),
  fwmark: z.number().int().min(1).max(maxFwmark).optional(),
  family: z.enum(["ipv4", "ipv6"]).optional(),
});

/** The identity of a virtual service. */
export type Key = z.output<typeof key>;

/** Returns the mistakes in a service itself. */
export function serviceProblems(key: Key, persistence: { netmask?: number | undefined } | null): Problem[] {
  const given = (name: keyof Key) => key[name] !== undefined;
  const bits = addressBits(serviceFamily(serviceOf(key)));
  const wide = (persistence?.netmask ?? 0) > bits;
  const netmask = wide
    ? [{ path: "persistence.netmask", reason: `${persistence?.netmask} is above ${bits}` }]
    : [];
  if (given("fwmark")) {
    const extra = (["protocol", "address", "port"] as const).filter(given);
    return [
      ...extra.map((path) => ({ path, reason: "cannot be set with fwmark; leave it out" })),
      ...netmask,
    ];
  }
  const missing = (["address", "port"] as const).filter((name) => !given(name));
  if (missing.length > 0)
    return missing.map((path) => ({
      path,
      reason: "is missing (a service is address and port, or fwmark)",
    }));
  return [
    ...(given("family") ? [{ path: "family", reason: "is for fwmark only; leave it out" }] : []),
    ...(key.port === 0 && !persistence
      ? [{ path: "port", reason: "0 is every port, and needs persistence" }]
      : []),
    ...netmask,
  ];
}
