import fc from "fast-check";
import { ipv4, port } from "../arbitraries.js";
import { edge, type TestedKind, unicast, unicast6 } from "./kind.js";

export const realServer: TestedKind = {
  right: [
    {
      service: "tcp://192.168.0.219:80",
      address: "192.168.10.11",
      port: 80,
      forwarding: "masquerading",
      weight: 1,
      upperThreshold: 100,
      lowerThreshold: 50,
    },
    { service: "fwmark://7/ipv6", address: "2001:db8::1", port: 0, forwarding: "gatewaying", weight: 1 },
  ],
  laws: {
    key: fc.record({ service: fc.constant("tcp://192.168.0.219:80"), address: ipv4, port }),
    config: fc
      .record({ weight: fc.nat(65535), upperThreshold: fc.nat(65535), lowerThreshold: fc.nat(65535) })
      .map(({ upperThreshold, lowerThreshold, weight }) => ({
        forwarding: "masquerading",
        weight,
        upperThreshold,
        lowerThreshold: Math.min(upperThreshold, lowerThreshold),
      })),
    together: 150,
    table: "-A -t 192.168.0.219:80 -s wlc\n",
  },
  hostile: {
    count: 60,
    prepare: (fake) => fake.write("ipvs", "-A -f 1 -6 -s wlc\n-A -f 2147483647 -s wlc\n"),
    args: () =>
      fc
        .record({
          address: fc.oneof(unicast, unicast6),
          port: fc.oneof(edge(0, 65535), fc.nat(65535)),
          weight: fc.oneof(edge(0, -0, 65535), fc.nat(65535)),
          upperThreshold: edge(65534, 65535),
          lowerThreshold: edge(0, -0, 65534),
        })
        .map((args) => ({
          ...args,
          service: args.address.includes(":") ? "x y'$(z)/fwmark://001/ipv6" : "a/fwmark://2147483647",
        })),
    lines: ({ service, address, port, weight, upperThreshold, lowerThreshold }) => {
      const mark = service === "fwmark://1/ipv6" ? "1 -6" : "2147483647";
      const at = `${String(address).includes(":") ? `[${address}]` : address}:${port}`;
      return {
        ipvs: `-a -f ${mark} -r ${at} -g -w ${weight}`,
        thresholds: `-f ${mark}\t${at}\t${upperThreshold}\t${lowerThreshold}`,
      };
    },
  },
};
