import fc from "fast-check";
import type { Bag } from "../../providers/engine/inputs.js";
import { ipAddress } from "../../src/values/address.js";
import type { ServiceAddress } from "../../src/values/service-address.js";

export const ipv4 = fc
  .tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255), fc.integer({ min: 1, max: 254 }))
  .map((parts) => parts.join("."));
const ipv6 = fc
  .array(fc.nat(0xffff), { minLength: 7, maxLength: 7 })
  .map((parts) => `2001:${parts.map((n) => n.toString(16)).join(":")}`)
  .map((text) => ipAddress.parse(text));
export const address = fc.oneof(ipv4, ipv6);
export const port = fc.integer({ min: 1, max: 65535 });

/** The network of so many bits that an address, as a number, is in. */
export const network4 = (n: number, bits: number): string => {
  const from = Math.floor(n / 2 ** (32 - bits)) * 2 ** (32 - bits);
  return `${[24, 16, 8, 0].map((shift) => Math.floor(from / 2 ** shift) % 256).join(".")}/${bits}`;
};

export const service: fc.Arbitrary<ServiceAddress> = fc.oneof(
  fc.record({ protocol: fc.constantFrom("tcp" as const, "udp" as const), address, port }),
  fc.record({
    fwmark: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    family: fc.constantFrom("ipv4" as const, "ipv6" as const),
  }),
);

/** A service's address as arguments. */
export const keyOf = (of: ServiceAddress): Bag => ({ ...of });
