import fc from "fast-check";
import { interfaceName, type TestedKind } from "./kind.js";

export const arpSuppression: TestedKind = {
  right: [{ interface: "eth0.100", all: true, arpIgnore: 1, arpAnnounce: 2 }],
  laws: {
    together: 1,
    key: fc.record({ interface: interfaceName, all: fc.boolean() }),
    config: fc.record({ arpIgnore: fc.nat(8), arpAnnounce: fc.nat(2) }),
  },
};
