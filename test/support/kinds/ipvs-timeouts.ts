import fc from "fast-check";
import type { TestedKind } from "./kind.js";

const seconds = fc.integer({ min: 1, max: 2678400 });

export const ipvsTimeouts: TestedKind = {
  right: [{ tcp: 7200, tcpFin: 120, udp: 30 }, {}],
  laws: {
    together: 1,
    key: fc.constant({}),
    config: fc.record({ tcp: seconds, tcpFin: seconds, udp: seconds }, { requiredKeys: [] }),
  },
};
