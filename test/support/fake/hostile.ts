import fc from "fast-check";
import { type Bag, unknownValue } from "../../../providers/engine/inputs.js";

/** What a shell would run, were it ever to read a value as its own text; it would leave a file. */
export const canaries = [
  "$(: >PWNED)",
  "`: >PWNED`",
  "'; : >PWNED; '",
  '"; : >PWNED; "',
  "\n: >PWNED\n",
  "|: >PWNED",
  "&& : >PWNED",
  "$IFS;:$IFS>PWNED",
  ">PWNED",
  "\\'; : >PWNED #",
  ")\n: >PWNED\n(",
];

const texts = [
  ...canaries,
  "",
  " ",
  "\t",
  "\n",
  "\r\n",
  "\0",
  "a\0b",
  "\x1b[31mred\x1b[0m",
  "\x07\x7f\x9b31m",
  "'",
  '"',
  "\\",
  "*",
  "~",
  "%s%n",
  "-",
  "--",
  "-C",
  "--clear",
  "-R",
  "-oProxyCommand=x",
  "-help",
  ".",
  "..",
  "../../etc/passwd",
  "/etc/passwd",
  "net.//.//.//.etc.passwd",
  "net.ipv4./.x",
  "a/../b",
  "e\u0301",
  "\u202e0.0.01",
  "\u2028",
  "\u200b",
  "\ud800",
  "\udfff\ud800",
  "１９２.１６８.０.１",
  "٣",
  "8０",
  "\ufeff80",
  "😀".repeat(50),
  "x".repeat(2 ** 20),
  "1".repeat(2 ** 20),
  "/".repeat(2 ** 20),
  "0",
  "-0",
  "65536",
  "2147483648",
  "4294967296",
  "4294967295",
  "10000000000000000000000",
  "10n",
  "1e3",
  "0x50",
  "0b1",
  "+1",
  "1.0",
  "NaN",
  "Infinity",
  "null",
  "undefined",
  "true",
  "fe80::1%eth0",
  "fe80::1",
  "::ffff:192.168.0.1",
  "::FFFF:C0A8:1",
  "::192.168.0.1",
  "::1:0",
  "64:ff9b::1.2.3.4",
  "::",
  "0.0.0.0",
  "255.255.255.255",
  "224.0.0.5",
  "ff02::5",
  "127.0.0.1",
  "010.0.0.1",
  "192.168.0.01",
  "0xC0.0xA8.0.1",
  "192.168.1",
  "3232235521",
  "192.168.0.1.",
  " 192.168.0.1",
  "192.168.0.1\n",
  "192.168.0.1/24",
  "10.0.0.5/8",
  "10.0.0.0/8",
  "10.0.0.0/08",
  "10.0.0.0/33",
  "10.0.0.0/-1",
  "10.0.0.0/",
  "10.0.0.0/8/8",
  "0.0.0.0/0",
  "1.2.3.4/0",
  "2001:db8::5/32",
  "2001:db8::/129",
  "default",
  "tcp://192.168.0.219:80",
  "tcp://192.168.0.219:0",
  "tcp://192.168.0.219:65536",
  "tcp://192.168.0.219:080",
  "tcp://[fe80::1%25eth0]:80",
  "tcp://[::ffff:1.2.3.4]:80",
  "tcp://[192.168.0.1]:80",
  "tcp://192.168.0.219:80\n",
  "x\n/tcp://192.168.0.219:80",
  "director1/udp://[2001:DB8::1]:53",
  "TCP://192.168.0.219:80",
  "fwmark://0",
  "fwmark://007",
  "fwmark://2147483648",
  "fwmark://4294967296",
  "fwmark://-1",
  "fwmark://1/ipv6",
  "eth0",
  "eth0:1",
  "eth0.100",
  "eth0\n",
  "eth0 dev lo",
  "a".repeat(16),
  "254",
  "255",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "valueOf",
  unknownValue.toUpperCase(),
];

const numbers = [
  0,
  -0,
  -1,
  1,
  0.5,
  1.5,
  1e-7,
  65535,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53,
  1e21,
  -1e21,
  1.7976931348623157e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

const keys = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "",
  " ",
  "a b",
  "a\nb",
  "a.b",
  "a[0]",
  "\u202ex",
  "\ud800",
  "-",
  "x".repeat(5000),
  "0",
  "__provider__",
];

/** A key that no reader expects. */
const hostileKey: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...keys),
  fc.string({ unit: "binary", maxLength: 8 }),
);

/** Texts that were trouble somewhere, and any other. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...texts) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...texts.filter((text) => text.length < 100)),
        fc.constantFrom(...texts.filter((text) => text.length < 100)),
      )
      .map((two) => two.join("")),
  },
);

const scalar = fc.oneof(
  { weight: 5, arbitrary: hostileText },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(...numbers) },
  {
    weight: 1,
    arbitrary: fc.oneof<fc.Arbitrary<unknown>[]>(fc.double(), fc.integer(), fc.boolean(), fc.constant(null)),
  },
);

/** Whatever Pulumi's wire can carry. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.tuple(hostileKey, scalar), { maxLength: 3 })
      .map((entries) =>
        JSON.parse(
          `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`,
        ),
      ),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
);

type Path = (string | number)[];

/** What no message may show. */
export const secret = "s3cret-that-no-output-may-show";

/** A connection with every kind of field. */
export const hostileConnection: Bag = {
  host: "director1",
  port: 22,
  user: "root",
  password: secret,
  privateKeyPath: "~/.ssh/id",
  knownHosts: "/k",
  dialErrorLimit: 1,
  proxy: { host: "jump", privateKeyPassword: secret },
};

const one = {
  director: {
    connection: hostileConnection,
    interface: "eth0",
    timeouts: { tcp: 7200, tcpFin: 120, udp: 30 },
    syncDaemon: { state: "master", mcastInterface: "eth1", syncid: 7, mcastGroup: "239.1.2.3" },
  },
  vips: [
    "192.168.0.219",
    { address: "192.168.0.220", prefixLength: 24, label: "eth0:1", broadcast: "192.168.0.255" },
  ],
  realServers: [
    {
      name: "web1",
      address: "192.168.10.11",
      connection: { ...hostileConnection, host: "web1" },
      weight: 2,
      upperThreshold: 100,
      lowerThreshold: 50,
    },
    { address: "192.168.10.12" },
  ],
  probe: { from: hostileConnection, path: "/health", contains: "OK", servers: 2, header: "X-Served-By" },
};
const service = { protocol: "tcp", port: 80, scheduler: "wlc", persistence: { timeout: 300, netmask: 24 } };

/** Configurations of stacks that are right, for hostile values to be put among. */
export const rightClusters: { web: Bag }[] = [
  {
    web: {
      ...one,
      kind: "dr",
      services: [service, { fwmark: 7 }],
      arp: { interface: "lo", all: true },
      loopbackLabel: "lo:0",
      hostRoutes: true,
      ipForwarding: false,
    },
  },
  {
    web: {
      ...one,
      kind: "nat",
      director: { ...one.director, dip: "192.168.10.10", insideInterface: "eth1" },
      services: [{ ...service, realServerPort: 8080 }],
      returnRoutes: ["default"],
    },
  },
];

/** Every place in a value, itself last. */
export function placesIn(value: unknown, at: Path = []): Path[] {
  const inside = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return [
    ...inside.flatMap(([key, child]) => placesIn(child, [...at, Array.isArray(value) ? Number(key) : key])),
    at,
  ];
}

/** The value with another one at a place. */
export function put(value: unknown, [first, ...rest]: Path, other: unknown): unknown {
  if (first === undefined) return other;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as Bag) }) as Bag;
  // as JSON has it: an own property, whatever its name
  Object.defineProperty(copy, first, {
    value: put(copy[first], rest, other),
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return copy;
}

/** Something right with one hostile value in it, in a place of its own or under a key that no reader expects. */
export const spoilt = (bases: readonly unknown[], value: fc.Arbitrary<unknown>) =>
  fc.constantFrom(...bases).chain((base) =>
    fc
      .tuple(
        fc.constantFrom(...placesIn(base).filter((at) => at.length > 0)),
        fc.option(hostileKey, { freq: 8 }),
        value,
      )
      .map(([at, key, other]) => {
        const where = key === null ? at : [...at.slice(0, -1), typeof at.at(-1) === "number" ? 0 : key];
        return { where, args: put(base, where, other) as Bag };
      }),
  );
