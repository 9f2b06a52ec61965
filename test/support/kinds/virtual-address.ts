import fc from "fast-check";
import { ipv4 } from "../arbitraries.js";
import { links, type TestedKind, unicast, unicast6, withLinks } from "./kind.js";

export const virtualAddress: TestedKind = {
  right: [
    {
      interface: "eth0",
      address: "192.168.0.219",
      prefixLength: 24,
      label: "eth0:1",
      broadcast: "192.168.0.255",
      announce: true,
    },
    { interface: "lo", address: "2001:db8::219", prefixLength: 128 },
  ],
  laws: {
    together: 12,
    key: fc.record({ interface: fc.constantFrom("lo", "eth0", "eth1"), address: ipv4 }),
    config: fc.record(
      { prefixLength: fc.integer({ min: 8, max: 32 }), broadcast: fc.option(ipv4), announce: fc.boolean() },
      { requiredKeys: [] },
    ),
  },
  hostile: {
    count: 24,
    prepare: withLinks,
    args: (text) =>
      fc
        .record({
          interface: fc.constantFrom(...links),
          address: fc.oneof(unicast, unicast6),
          tail: text(/^[A-Za-z0-9_-]{1,5}$/),
          broadcast: fc.option(unicast),
        })
        .map(({ tail, broadcast, ...args }) =>
          args.address.includes(":") || args.interface.length > 9
            ? args
            : { ...args, label: `${args.interface}:${tail}`, broadcast },
        ),
    lines: ({ interface: name, address, prefixLength, broadcast, label }) => ({
      addresses: `${name} ${address}/${prefixLength} ${broadcast ?? "-"} ${label ?? "-"} ${String(address).includes(":") ? "nodad deprecated" : "-"}`,
    }),
  },
};
