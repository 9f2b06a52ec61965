import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { interfaceName, ipAddress } from "../../../src/values/address.js";
import { closest, distance } from "../../../src/values/closest.js";
import { unknownField, valueHint } from "../../../src/values/hints.js";
import { errorMap, problemsOf } from "../../../src/values/problem.js";
import { sysctlName } from "../../../src/values/sysctl-name.js";

test.each([
  ["wieght", "weight"],
  ["realservers", "realServers"],
  ["real_servers", "realServers"],
  ["schedular", "scheduler"],
  ["addr", "address"],
  ["health", "health"],
  ["DR", "dr"],
  ["x", undefined],
  ["tunnel", undefined],
  ["constructor", undefined],
])("the nearest word to %s is %s", (given, word) => {
  expect(closest(given, ["weight", "realServers", "scheduler", "address", "health", "dr", "nat"])).toBe(word);
});

test("a distance is the same both ways, and 0 of a text from itself only", () => {
  const text = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(text, text, (one, other) => {
      expect(distance(one, other)).toBe(distance(other, one));
      expect(distance(one, other) === 0).toBe(one === other);
    }),
  );
  expect(distance("wieght", "weight")).toBe(1);
  expect(distance("timout", "timeout")).toBe(1);
});

test("words of other programs come before the nearest ones, and no word of JavaScript is one", () => {
  expect(unknownField("lb_algo", ["label"], { lb_algo: "write scheduler" })).toBe(
    "is not a known property; write scheduler",
  );
  expect(unknownField("constructor", ["weight"], {})).toBe("is not a known property");
  expect(valueHint("roundrobin", ["rr", "wrr"])).toBe("; did you mean `rr`?");
  expect(valueHint("constructor", ["constructor "])).toContain("constructor ");
});

const schema = z.strictObject({
  port: z.number().optional(),
  persist: z.boolean().optional(),
  host: z.string().optional(),
  vips: z.array(z.string()).optional(),
  drain: z.strictObject({ timeout: z.number() }).optional(),
  jump: z.strictObject({ host: z.string() }).optional(),
});

test.each<[object, string]>([
  [{ port: "80" }, 'port: "80" is not a number; write it without quotes'],
  [{ port: "http" }, 'port: "http" is not a number'],
  [{ persist: "true" }, 'persist: "true" is not a boolean; write it without quotes'],
  [{ persist: "Off" }, 'persist: "Off" is not a boolean; write false'],
  [{ host: 10.1 }, "host: 10.1 is not a string; write it in quotes"],
  [{ vips: "192.0.2.1" }, 'vips: "192.0.2.1" is not a list; write it in brackets, [ ], or after a dash'],
  [{ drain: 300 }, "drain: 300 is not a map; write { timeout: 300 }"],
  [{ jump: "a" }, 'jump: "a" is not a map; write { host: … }'],
  [{ jump: 1 }, "jump: 1 is not a map"],
  [{ hots: 1, prot: 2 }, "hots: is not a known property; did you mean `host`?"],
])("of %j the message says what to write", (given, expected) => {
  const { error } = schema.safeParse(given, { error: errorMap });
  expect(problemsOf(error as z.ZodError).map(({ path, reason }) => `${path}: ${reason}`)).toContain(expected);
});

test.each([
  ["203.0.113.10/24", "; leave out /24"],
  ["203.0.113.10:80", "; write 203.0.113.10 alone"],
  ["[2001:db8::1]:80", "; write 2001:db8::1 alone"],
  ["web1.example.net", "; write the address itself, because names are not resolved"],
  ["203.0.113.321", ""],
])("%s is no address, and the message says what to write", (given, hint) => {
  const { error } = ipAddress.safeParse(given);
  expect(error?.issues[0]?.message).toBe(`"${given}" is not an IP address${hint}`);
});

test.each([
  ["eth0", "eth0"],
  ["bond0.100", "bond0.100"],
  ["eth0@if5", "eth0"],
  ["bond0.100@bond0", "bond0.100"],
])("the interface that ip prints as %s is %s", (given, name) => {
  expect(interfaceName.parse(given)).toBe(name);
});

test.each([
  ["net.ipv4.conf.eth0.100.rp_filter", "net.ipv4.conf.eth0/100.rp_filter"],
  ["net.ipv6.neigh.bond0.7.mcast_solicit", "net.ipv6.neigh.bond0/7.mcast_solicit"],
  ["net.ipv4.conf.eth0/100.rp_filter", "net.ipv4.conf.eth0/100.rp_filter"],
  ["net.ipv4.conf.all.rp_filter", "net.ipv4.conf.all.rp_filter"],
  ["net.ipv4.vs.expire_nodest_conn", "net.ipv4.vs.expire_nodest_conn"],
])("the sysctl %s is %s", (given, name) => {
  expect(sysctlName.parse(given)).toBe(name);
});
