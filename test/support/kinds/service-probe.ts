import { hostileConnection } from "../fake/hostile.js";
import type { TestedKind } from "./kind.js";

export const serviceProbe: TestedKind = {
  right: [
    {
      url: "https://web.example.org:8443/health?a=b",
      address: "192.168.0.219",
      requests: 20,
      timeout: 3,
      failures: 1,
      within: 10,
      status: [200, 204],
      contains: "OK",
      spread: { header: "X-Served-By", servers: 2, shares: { rs1: 0.3 } },
      arp: { interface: "eth0", mac: "52:54:00:4c:02:01" },
      director: hostileConnection,
      insecure: true,
      triggers: [1, { a: "b" }],
    },
    { url: "tcp://[2001:db8::219]:25", arp: false },
  ],
};
