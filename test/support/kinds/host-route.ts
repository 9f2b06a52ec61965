import fc from "fast-check";
import { ipv4 } from "../arbitraries.js";
import { edge, links, type TestedKind, unicast, unicast6, withLinks } from "./kind.js";

export const hostRoute: TestedKind = {
  right: [
    {
      destination: "10.0.0.0/8",
      table: "main",
      metric: 3,
      device: "eth0",
      via: "192.168.0.1",
      source: "192.168.0.5",
    },
    { destination: "2001:db8::/32", table: "100", device: null, via: "2001:db8::1" },
  ],
  laws: {
    together: 16,
    key: fc.record({
      destination: fc.oneof(ipv4, fc.constant("10.0.0.0/8")),
      metric: fc.nat(9),
      table: fc.constant("main"),
    }),
    config: fc.oneof(
      fc.record({
        device: fc.constantFrom("lo", "eth0", "eth1"),
        source: fc.constantFrom(null, "192.168.0.5"),
      }),
      fc.record({ via: fc.integer({ min: 1, max: 254 }).map((n) => `192.168.10.${n}`) }),
    ),
  },
  hostile: {
    count: 24,
    prepare: withLinks,
    args: () =>
      fc.record({
        destination: fc.oneof(
          unicast,
          unicast6,
          fc.constantFrom("10.0.0.0/08", "0.0.0.0/32", "2001:DB8::/32"),
        ),
        table: fc.constantFrom("main", "1", "253", "4294967295"),
        metric: fc.oneof(edge(1, 2 ** 31, 2 ** 32 - 1), fc.nat(2 ** 32 - 1)),
        device: fc.constantFrom(...links),
      }),
    lines: ({ destination, table, metric, device }) => {
      const ipv6 = String(destination).includes(":");
      return {
        routes: `${ipv6 ? 6 : 4} ${table} ${String(destination).replace(ipv6 ? /\/128$/ : /\/32$/, "")} - ${device} - ${metric || (ipv6 ? 1024 : 0)}`,
      };
    },
  },
};
