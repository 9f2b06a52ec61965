import fc from "fast-check";
import { ipv4 } from "../arbitraries.js";
import { links, type TestedKind, unicast, withLinks } from "./kind.js";

const address = fc.record(
  {
    address: fc.oneof(ipv4, fc.constantFrom("2001:db8::219", "fe80::1")),
    prefixLength: fc.integer({ min: 1, max: 32 }),
    interface: fc.constantFrom("eth0", "eth1"),
  },
  { requiredKeys: ["address"] },
);

export const vrrpInstance: TestedKind = {
  right: [
    {
      interface: "eth0",
      routerId: 51,
      addresses: [
        { address: "192.168.0.219", prefixLength: 24, interface: "eth0" },
        { address: "2001:db8::219", prefixLength: 128 },
        { address: "192.168.10.1", interface: "eth1" },
      ],
      priority: 150,
      version: 3,
      advertInterval: 0.25,
      peers: ["192.168.0.6"],
      source: "192.168.0.5",
      preempt: true,
      preemptDelay: 30,
      trackInterfaces: ["eth1"],
      trackServices: ["tcp://192.168.0.219:80", "fwmark://7/ipv6"],
      priorityDrop: 60,
      garpRefresh: 60,
      keepalived: "running",
    },
    { interface: "eth0.100", routerId: 1, version: 2, preempt: false, addresses: [{ address: "10.0.0.1" }] },
  ],
  laws: {
    together: 3,
    key: fc.record({
      interface: fc.constantFrom("eth0", "eth1"),
      routerId: fc.integer({ min: 1, max: 255 }),
    }),
    config: fc.record(
      {
        addresses: fc.uniqueArray(address, { minLength: 1, maxLength: 4, selector: (one) => one.address }),
        priority: fc.integer({ min: 1, max: 254 }),
        advertInterval: fc.integer({ min: 1, max: 4095 }).map((hundredths) => hundredths / 100),
        preempt: fc.boolean(),
        trackInterfaces: fc.constantFrom([], ["lo"]),
        trackServices: fc.constantFrom([], ["tcp://[2001:db8::1]:53", "fwmark://7/ipv6"]),
        priorityDrop: fc.integer({ min: 1, max: 253 }),
        garpRefresh: fc.nat(86400),
      },
      { requiredKeys: ["addresses"] },
    ),
  },
  hostile: {
    count: 6,
    prepare: withLinks,
    args: () =>
      fc
        .record({
          interface: fc.constantFrom(...links),
          routerId: fc.integer({ min: 1, max: 255 }),
          addresses: unicast.map((one) => [{ address: one }]),
          trackInterfaces: fc.constantFrom(...links).map((name) => [name]),
        })
        .filter((one) => one.trackInterfaces[0] !== one.interface),
    lines: () => ({}),
  },
};
