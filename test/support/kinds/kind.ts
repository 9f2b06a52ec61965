import fc from "fast-check";
import type { Bag } from "../../../providers/engine/inputs.js";
import type { FakeHost } from "../fake/fake-host.js";

/** What tests of all kinds need of one: arguments, those that its schema takes, and what is on a host by them. */
export interface TestedKind {
  /** Arguments that are right, for hostile values to be put among. */
  readonly right: readonly Bag[];
  /** For the laws. Absent for a kind that has nothing on a host. */
  readonly laws?: Lawful;
  /** For hostile values on a host. Absent for a kind whose fields are numbers and fixed words. */
  readonly hostile?: Hostile;
}

/** Arguments of a kind that a fake host can have: its identity, and its configuration. */
interface Lawful {
  readonly key: fc.Arbitrary<Bag>;
  readonly config: fc.Arbitrary<Bag>;
  /** How many stand beside each other on each host, without meaning the same thing. */
  readonly together: number;
  /** The IPVS table that they need. */
  readonly table?: string;
}

/** A kind of resource with arguments as hostile as its schema lets pass. */
interface Hostile {
  readonly count: number;
  readonly args: (text: (allowed: RegExp) => fc.Arbitrary<string>) => fc.Arbitrary<Bag>;
  /** What is in the host's files afterwards, and was not before: lines by file. */
  readonly lines: (inputs: Bag) => Record<string, string>;
  readonly prepare?: (fake: FakeHost) => void;
}

export const interfaceName = fc.constantFrom("lo", "eth0", "eth1", "eth0.100");

// one of many, all of which the host has
export const numbered = (prefix: string, most: number) => fc.nat(most - 1).map((n) => `${prefix}${n}`);
export const links = ["lo", "eth0", "a_b", "x..", "dev", "e-1", "all0", "Z9_.-x", "exactly15charsx"];
export const withLinks = (fake: FakeHost) => {
  fake.write("links", links.map((name) => `${name}\n`).join(""));
  for (const [i, name] of links.entries()) {
    fake.write(`sys/class/net/${name}/address`, "52:54:00:00:00:05\n");
    fake.write(`sys/class/net/${name}/ifindex`, `${i + 1}\n`);
  }
};
const byte = fc.nat(255);
export const unicast = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 223 }), byte, byte, byte).map((parts) => parts.join(".")),
  fc.constantFrom("127.0.0.2", "169.254.0.0", "1.0.0.0", "223.255.255.255"),
);
export const unicast6 = fc.constantFrom(
  "::2",
  "::ffff:1.2.3.4",
  "::1.2.3.4",
  "64:ff9b::1.2.3.4",
  "2001:DB8::A",
  "fe80::1",
  "1:0:2:3:4:5:6:7",
  "::1:0",
);
export const edge = (...numbers: number[]) => fc.constantFrom(...numbers);
