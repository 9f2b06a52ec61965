import fc from "fast-check";
import { describe, expect, type TestContext, test } from "vitest";
import type { Definition } from "../../../providers/engine/define.js";
import { type Bag, checkInputs, partsOf } from "../../../providers/engine/inputs.js";
import { realServer } from "../../../providers/real-server/index.js";
import { sysctl } from "../../../providers/sysctl.js";
import { virtualAddress } from "../../../providers/virtual-address.js";
import { virtualService } from "../../../providers/virtual-service/index.js";
import { definitions } from "../../support/fake/definitions.js";
import { connection, resources } from "../../support/fake/engine.js";
import { FakeHost } from "../../support/fake/fake-host.js";
import { partOf } from "../../support/kinds/index.js";
import { tally } from "../../support/tally.js";

/** Hosts per law; more of them find more (LAWS_RUNS=50 for an hour of idle time). */
const runs = (together: number): number => Number(process.env.LAWS_RUNS ?? (together > 1 ? 1 : 2));

test("every kind of resource is under the laws, but for probes, of which nothing is on a host", () => {
  const names = [...definitions].flatMap(([name, { record }]) => (record ? [name] : []));
  expect(
    partOf("laws")
      .map(([name]) => name)
      .sort(),
  ).toEqual(names.sort());
});

describe.each(partOf("laws").map(([name, kind]) => [name, kind.together, kind] as const))(
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
