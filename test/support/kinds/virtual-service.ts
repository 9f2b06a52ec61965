import fc from "fast-check";
import { schedulerFlags, schedulers } from "../../../providers/virtual-service/schedulers.js";
import { keyOf, service } from "../arbitraries.js";
import { edge, type TestedKind, unicast, unicast6 } from "./kind.js";

/** A scheduler, and flags that it has. */
const scheduling = fc.constantFrom(...schedulers).chain((scheduler) =>
  fc.record({
    scheduler: fc.constant(scheduler),
    schedulerFlags: fc.subarray(schedulerFlags.filter((flag) => flag.startsWith(`${scheduler}-`))),
  }),
);

export const virtualService: TestedKind = {
  right: [
    {
      protocol: "tcp",
      address: "192.168.0.219",
      port: 80,
      scheduler: "wlc",
      persistence: { timeout: 300, netmask: 24 },
      realServers: { "192.168.10.11:80": { forwarding: "masquerading", weight: 1, drain: { timeout: 60 } } },
    },
    { fwmark: 1, family: "ipv6", persistence: { netmask: 64 } },
    { address: "192.168.0.219", port: 81, scheduler: "mh", schedulerFlags: ["mh-fallback", "mh-port"] },
  ],
  laws: {
    // each changed scheduler is a script of three commands, not a line of many
    together: 80,
    key: service.map(keyOf),
    config: fc
      .tuple(
        fc.option(scheduling, { nil: {} }),
        fc.record(
          {
            persistence: fc.option(
              fc.record(
                { timeout: fc.integer({ min: 1, max: 2678400 }), netmask: fc.integer({ min: 1, max: 32 }) },
                { requiredKeys: [] },
              ),
            ),
          },
          { requiredKeys: [] },
        ),
      )
      .map(([scheduled, rest]) => ({ ...scheduled, ...rest })),
  },
  hostile: {
    count: 60,
    args: () =>
      fc.oneof(
        fc.record({
          fwmark: fc.oneof(edge(1, 2 ** 31 - 1, 65536), fc.integer({ min: 1, max: 2 ** 31 - 1 })),
          family: fc.constantFrom("ipv4", "ipv6"),
        }),
        fc.record({
          address: fc.oneof(unicast, unicast6),
          port: fc.oneof(edge(1, 65535), fc.integer({ min: 1, max: 65535 })),
          protocol: fc.constantFrom("tcp", "udp"),
        }),
      ),
    lines: (inputs) => {
      const at = String(inputs.address);
      const flag = inputs.fwmark
        ? `-f ${inputs.fwmark}${inputs.family === "ipv6" ? " -6" : ""}`
        : `${inputs.protocol === "tcp" ? "-t" : "-u"} ${at.includes(":") ? `[${at}]` : at}:${inputs.port}`;
      return { ipvs: `-A ${flag} -s wlc` };
    },
  },
};
