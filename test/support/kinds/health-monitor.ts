import fc from "fast-check";
import { port } from "../arbitraries.js";
import type { TestedKind } from "./kind.js";

const word = fc.stringMatching(/^[ -~äß]{1,20}$/).map((text) => `x${text}`);
const pageCheck = fc.record(
  {
    type: fc.constantFrom("http" as const, "https" as const),
    port,
    path: fc.webPath().map((path) => `/${path}`.slice(0, 1000)),
    body: fc.oneof(word, fc.constant("")),
    status: fc.uniqueArray(fc.integer({ min: 100, max: 599 }), { minLength: 1, maxLength: 3 }),
    host: fc.constantFrom("www.example.com", "a"),
  },
  { requiredKeys: [] },
);
const otherCheck = fc.oneof(
  fc.record({ type: fc.constant("command" as const), command: word }),
  fc.record({ type: fc.constant("dns" as const), query: fc.constant("example.com") }),
  fc.record({ type: fc.constant("tcp" as const), port }),
);
const monitorConfig = fc.record(
  {
    check: fc.oneof(pageCheck, otherCheck),
    servers: fc.dictionary(
      fc.constantFrom("192.168.10.11:80", "[2001:db8::11]:0"),
      fc.oneof(fc.constant({ type: "https", verify: true, port: 443 }), otherCheck),
    ),
    interval: fc.integer({ min: 3, max: 3600 }),
    rise: fc.integer({ min: 1, max: 100 }),
    action: fc.constantFrom("remove", "quiesce"),
    lastServer: fc.constantFrom("keep", "remove"),
    slowStart: fc.nat(3600),
    log: fc.constantFrom(null, "/var/log/other.log"),
  },
  { requiredKeys: [] },
);

export const healthMonitor: TestedKind = {
  right: [
    {
      service: "tcp://192.168.0.219:80",
      check: {
        type: "https",
        port: 443,
        path: "/.health.html",
        body: "OK",
        status: [200, 204],
        host: "a.b",
        verify: true,
      },
      servers: { "192.168.10.11:80": { type: "command", command: "true" } },
      interval: 3,
      sorryServer: { address: "192.168.0.5", port: 80, forwarding: "masquerading", weight: 1 },
      quorum: { weight: 2, hysteresis: 1 },
      announce: { table: 219, address: "192.168.0.219", weight: 2 },
      log: "/var/log/ipvsmonitor.log",
    },
    { service: "fwmark://7/ipv6", check: { type: "dns", query: "example.com" }, action: "quiesce" },
  ],
  laws: {
    together: 3,
    key: fc.record({
      service: fc.constantFrom("tcp://192.168.0.219:80", "tcp://[2001:db8::1]:53", "fwmark://7/ipv6"),
    }),
    config: monitorConfig,
  },
};
