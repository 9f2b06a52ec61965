import fc from "fast-check";
import { describe, expect, type TestContext, test } from "vitest";
import type { Definition } from "../../../providers/engine/define.js";
import { type Bag, checkInputs, partsOf } from "../../../providers/engine/inputs.js";
import { realServer } from "../../../providers/real-server/index.js";
import { sysctl } from "../../../providers/sysctl.js";
import { virtualAddress } from "../../../providers/virtual-address.js";
import { schedulers, virtualService } from "../../../providers/virtual-service.js";
import { ipv4, keyOf, port, service } from "../../support/arbitraries.js";
import { definitions } from "../../support/fake/definitions.js";
import { connection, resources } from "../../support/fake/engine.js";
import { FakeHost } from "../../support/fake/fake-host.js";
import { tally } from "../../support/tally.js";

/** Hosts per law; more of them find more (LAWS_RUNS=50 for an hour of idle time). */
const runs = (together: number): number => Number(process.env.LAWS_RUNS ?? (together > 1 ? 1 : 2));

/** Arguments of a kind that a fake host can have: its identity, and its configuration. */
interface Kind {
  readonly key: fc.Arbitrary<Bag>;
  readonly config: fc.Arbitrary<Bag>;
  /** How many stand beside each other on each host, without meaning the same thing. */
  readonly together: number;
  /** The IPVS table that they need. */
  readonly table?: string;
}

const seconds = fc.integer({ min: 1, max: 2678400 });
const interfaceName = fc.constantFrom("lo", "eth0", "eth1", "eth0.100");
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

const configured: Record<string, Kind> = {
  "virtual-service": {
    // each changed scheduler is a script of three commands, not a line of many
    together: 80,
    key: service.map(keyOf),
    config: fc.record(
      {
        scheduler: fc.constantFrom(...schedulers),
        persistence: fc.option(
          fc.record(
            { timeout: fc.integer({ min: 1, max: 2678400 }), netmask: fc.integer({ min: 1, max: 32 }) },
            { requiredKeys: [] },
          ),
        ),
      },
      { requiredKeys: [] },
    ),
  },
  "ipvs-timeouts": {
    together: 1,
    key: fc.constant({}),
    config: fc.record({ tcp: seconds, tcpFin: seconds, udp: seconds }, { requiredKeys: [] }),
  },
  "sync-daemon": {
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
  "real-server": {
    key: fc.record({ service: fc.constant("tcp://192.168.0.219:80"), address: ipv4, port }),
    config: fc
      .record({ weight: fc.nat(65535), upperThreshold: fc.nat(65535), lowerThreshold: fc.nat(65535) })
      .map(({ upperThreshold, lowerThreshold, weight }) => ({
        forwarding: "masquerading",
        weight,
        upperThreshold,
        lowerThreshold: Math.min(upperThreshold, lowerThreshold),
      })),
    together: 150,
    table: "-A -t 192.168.0.219:80 -s wlc\n",
  },
  "health-monitor": {
    together: 3,
    key: fc.record({
      service: fc.constantFrom("tcp://192.168.0.219:80", "tcp://[2001:db8::1]:53", "fwmark://7/ipv6"),
    }),
    config: monitorConfig,
  },
  "virtual-address": {
    together: 12,
    key: fc.record({ interface: fc.constantFrom("lo", "eth0", "eth1"), address: ipv4 }),
    config: fc.record(
      { prefixLength: fc.integer({ min: 8, max: 32 }), broadcast: fc.option(ipv4), announce: fc.boolean() },
      { requiredKeys: [] },
    ),
  },
  "host-route": {
    together: 16,
    key: fc.record({
      destination: fc.oneof(ipv4, fc.constant("10.0.0.0/8")),
      metric: fc.nat(9),
      table: fc.constant("main"),
    }),
    config: fc.oneof(
      fc.record({
        device: fc.constantFrom("lo", "eth0", "eth1"),
        source: fc.constantFrom(null, "192.168.0.5"),
      }),
      fc.record({ via: fc.integer({ min: 1, max: 254 }).map((n) => `192.168.10.${n}`) }),
    ),
  },
  "arp-suppression": {
    together: 1,
    key: fc.record({ interface: interfaceName, all: fc.boolean() }),
    config: fc.record({ arpIgnore: fc.nat(8), arpAnnounce: fc.nat(2) }),
  },
  "ip-forwarding": {
    together: 1,
    key: fc.record({ family: fc.constant("ipv4"), interfaces: fc.uniqueArray(interfaceName) }),
    config: fc.record({ enabled: fc.boolean(), sendRedirects: fc.boolean() }),
  },
  sysctl: {
    together: 3,
    key: fc
      .constantFrom(
        "net.ipv4.tcp_rmem",
        "net.ipv4.conf.eth0/100.arp_ignore",
        "net.ipv4.vs.expire_nodest_conn",
      )
      .map((name) => ({ name })),
    config: fc.record({ value: fc.integer().map(String) }),
  },
  "kernel-module": {
    together: 1,
    key: fc.constant({ name: "ip_vs" }),
    config: fc.record({ options: fc.record({ conn_tab_bits: fc.constant("12") }, { requiredKeys: [] }) }),
  },
};

test("every kind of resource is under the laws, but for probes, of which nothing is on a host", () => {
  const kinds = [...definitions].flatMap(([name, { record }]) => (record ? [name] : []));
  expect(Object.keys(configured).sort()).toEqual(kinds.sort());
});

describe.each(Object.entries(configured).map(([name, kind]) => [name, kind.together, kind] as const))(
  "%s, %i on a host",
  (name, together, { key, config, table }) => {
    const definition = definitions.get(name) as Definition;
    const id = (args: { key: Bag }) =>
      definition.id(partsOf(definition, checkInputs(definition, { connection, ...args.key }).inputs).key);
    const several = fc.uniqueArray(fc.record({ key, a: config, b: config }), {
      minLength: together,
      maxLength: together,
      selector: id,
      size: "max",
    });
    type All = { key: Bag; a: Bag; b: Bag }[];

    const onHost =
      (holds: (kind: ReturnType<typeof resources>, fake: FakeHost, all: All) => Promise<void>) =>
      (context: TestContext) => {
        const cases = tally(context, "laws");
        return fc.assert(
          fc.asyncProperty(several, async (all) => {
            cases.tried(all.length);
            await using fake = new FakeHost();
            if (table) fake.write("ipvs", table);
            await holds(resources(definition, fake), fake, all);
            cases.held(all.length);
          }),
          { numRuns: runs(together), endOnFailure: true },
        );
      };

    test(
      "what was created is found as it was asked for, changes nothing when asked for again, and leaves nothing when it is deleted, twice",
      onHost(async (kind, fake, all) => {
        const untouched = fake.snapshot();
        const made = await Promise.all(all.map(({ key, a }) => kind.create({ ...key, ...a })));
        const found = await Promise.all(made.map(({ props }) => kind.read(props)));
        expect(found.map(({ props }) => props)).toEqual(made.map(({ props }) => props));
        const then = fake.snapshot();
        await Promise.all(all.map(({ key, a }) => kind.create({ ...key, ...a })));
        expect(fake.snapshot()).toBe(then);
        for (const _ of ["once", "twice"]) {
          await Promise.all(made.map(({ props }) => kind.delete(props)));
          expect(fake.snapshot()).toBe(untouched);
        }
      }),
    );

    test(
      "a change and its reverse leave the host as it was, and whatever was changed in between goes with the resource",
      onHost(async (kind, fake, all) => {
        const untouched = fake.snapshot();
        const made = await Promise.all(all.map(({ key, a }) => kind.create({ ...key, ...a })));
        const first = hostState(fake);
        const changed = await Promise.all(
          made.map(({ props }, i) => kind.update(props, { ...all[i]?.key, ...all[i]?.b })),
        );
        expect(await Promise.all(changed.map(async (props) => (await kind.read(props)).props))).toEqual(
          changed,
        );
        const back = await Promise.all(
          changed.map((props, i) => kind.update(props, { ...all[i]?.key, ...all[i]?.a })),
        );
        expect(hostState(fake)).toBe(first);
        await Promise.all(back.map((props, i) => kind.update(props, { ...all[i]?.key, ...all[i]?.b })));
        await Promise.all(changed.map((props) => kind.delete(props)));
        expect(fake.snapshot()).toBe(untouched);
      }),
    );
  },
);

/** The host without the records of who wants what. */
const hostState = (fake: FakeHost): string =>
  fake
    .snapshot()
    .split("\n")
    .filter((line) => !line.startsWith("run/"))
    .join("\n");

test("two owners of one sysctl may come and go in any order: what was found comes back with the last of them", () =>
  fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), async (order) => {
      await using fake = new FakeHost();
      const untouched = fake.snapshot();
      const kind = resources(sysctl, fake);
      const made = [];
      for (const n of [0, 1, 2])
        made.push(await kind.create({ name: "net.ipv4.conf.all.arp_ignore", value: "1" }, `p/s/owner ${n}`));
      for (const [i, n] of order.entries()) {
        expect(fake.sysctl("net/ipv4/conf/all/arp_ignore")).toBe("1");
        await kind.delete((made[n] as { props: Bag }).props);
        if (i < 2) expect(fake.has("run/pulumi-lvs/sysctl.net.ipv4.conf.all.arp_ignore/found")).toBe(true);
      }
      expect(fake.snapshot()).toBe(untouched);
    }),
    { numRuns: runs(1) },
  ));

test("any order of independent resources, one by one or all at once, gives one host", (context) => {
  const cases = tally(context, "laws");
  const wanted: [Definition, Bag][] = [
    [virtualService, { address: "192.168.0.219", port: 80, scheduler: "rr" }],
    [virtualService, { address: "192.168.0.219", port: 443, persistence: { timeout: 60 } }],
    [virtualService, { fwmark: 7 }],
    [realServer, { service: "tcp://192.168.0.1:1", address: "192.168.10.11", port: 1 }],
    [realServer, { service: "tcp://192.168.0.1:1", address: "192.168.10.12", port: 1, weight: 3 }],
    [sysctl, { name: "net.ipv4.tcp_rmem", value: "1 2 3" }],
    [virtualAddress, { interface: "lo", address: "192.168.0.219" }],
  ];
  const results = new Set<string>();
  return fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(wanted, { minLength: wanted.length }),
      fc.boolean(),
      async (order, together) => {
        cases.tried(order.length);
        await using fake = new FakeHost();
        fake.write("ipvs", "-A -t 192.168.0.1:1 -s wlc\n");
        const makers = order.map(
          ([definition, args]) =>
            () =>
              resources(definition, fake).create(args),
        );
        if (together) await Promise.all(makers.map((make) => make()));
        else for (const make of makers) await make();
        results.add(fake.snapshot());
        expect(results.size).toBe(1);
        expect(fake.lines("ipvs")).toHaveLength(6);
        cases.held(order.length);
      },
    ),
    { numRuns: 3 },
  );
});
