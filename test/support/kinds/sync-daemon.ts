import fc from "fast-check";
import { port } from "../arbitraries.js";
import { edge, links, type TestedKind, withLinks } from "./kind.js";

export const syncDaemon: TestedKind = {
  right: [
    { state: "master", mcastInterface: "eth1", syncid: 7, syncMaxlen: 1472, mcastGroup: "239.1.2.3" },
    { state: "backup", mcastInterface: "eth0.100", mcastGroup: "ff02::81", mcastPort: 8849, mcastTtl: 2 },
  ],
  laws: {
    together: 2,
    key: fc.constantFrom("master", "backup").map((state) => ({ state })),
    config: fc.record(
      {
        mcastInterface: fc.constantFrom("lo", "eth0", "eth1"),
        syncid: fc.nat(255),
        syncMaxlen: fc.integer({ min: 1024, max: 65487 }),
        mcastGroup: fc.constantFrom("224.0.0.81", "239.1.2.3", "ff02::81"),
        mcastPort: port,
        mcastTtl: fc.integer({ min: 1, max: 255 }),
      },
      { requiredKeys: ["mcastInterface"] },
    ),
  },
  hostile: {
    count: 2,
    prepare: withLinks,
    args: () =>
      fc.record({
        state: fc.constantFrom("master", "backup"),
        mcastInterface: fc.constantFrom(...links),
        mcastGroup: fc.constantFrom("224.0.0.0", "239.255.255.255", "FF02::1:2", "ff0e::1.2.3.4"),
        syncid: edge(0, -0, 255),
        syncMaxlen: edge(1024, 65487),
      }),
    lines: ({ state, mcastInterface, mcastGroup, syncid, syncMaxlen }) => ({
      daemons: `${state} sync daemon (mcast=${mcastInterface}, syncid=${syncid}, maxlen=${syncMaxlen}, group=${mcastGroup}, port=8848, ttl=1)`,
    }),
  },
};
