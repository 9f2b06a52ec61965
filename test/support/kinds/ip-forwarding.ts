import fc from "fast-check";
import { interfaceName, type TestedKind } from "./kind.js";

export const ipForwarding: TestedKind = {
  right: [{ family: "ipv4", interfaces: ["eth0", "eth1"], enabled: true, sendRedirects: false }],
  laws: {
    together: 1,
    key: fc.record({ family: fc.constant("ipv4"), interfaces: fc.uniqueArray(interfaceName) }),
    config: fc.record({ enabled: fc.boolean(), sendRedirects: fc.boolean() }),
  },
};
