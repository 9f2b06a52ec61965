import fc from "fast-check";
import { canaries } from "../fake/hostile.js";
import { numbered, type TestedKind } from "./kind.js";

export const sysctl: TestedKind = {
  right: [{ name: "net.ipv4.conf.eth0/100.arp_ignore", value: "1 2" }],
  laws: {
    together: 3,
    key: fc
      .constantFrom(
        "net.ipv4.tcp_rmem",
        "net.ipv4.conf.eth0/100.arp_ignore",
        "net.ipv4.vs.expire_nodest_conn",
      )
      .map((name) => ({ name })),
    config: fc.record({ value: fc.integer().map(String) }),
  },
  hostile: {
    count: 16,
    prepare: (fake) => {
      for (let n = 0; n < 100; n++) fake.write(`proc/sys/net/a.b/-x${n}`, "0\n");
    },
    args: (text) =>
      fc.record({
        name: numbered("net.a/b.-x", 100),
        value: fc
          .oneof(
            fc.constantFrom(...canaries.filter((one) => !one.includes("\n"))),
            text(/^[\x20-\x7e\t]{1,1000}$/),
          )
          .filter((value) => value.trim() !== ""),
      }),
    lines: ({ name, value }) => ({ [`proc/sys/net/a.b/${String(name).slice(8)}`]: String(value) }),
  },
};
