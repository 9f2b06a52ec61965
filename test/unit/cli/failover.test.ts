import { describe, expect, test } from "vitest";
import type { Failover, Maintenance } from "../../../cli/failover/command.js";
import { moveIn } from "../../../cli/failover/command.js";
import type { Director, Living } from "../../../cli/failover/director.js";
import { groupsOf, groupsOn, namedBy } from "../../../cli/failover/instances.js";
import { failoverOf, maintenanceOf, releaseOf } from "../../../cli/failover/moves.js";
import { parseCommandLine } from "../../../cli/program.js";
import type { Clock } from "../../../providers/engine/clock.js";
import type { Bag } from "../../../providers/engine/inputs.js";
import { vrrpInstance } from "../../../providers/vrrp-instance/index.js";
import type { Entry } from "../../../rollback/deployment.js";
import { HostError } from "../../../src/errors.js";
import { fakeHost, resources } from "../../support/fake/engine.js";
import { FakeClock } from "../../support/fake/fake-clock.js";
import type { FakeHost } from "../../support/fake/fake-host.js";
import { FakeKeepalived } from "../../support/fake/keepalived.js";

const vip = "192.168.0.219";
const hold = "run/pulumi-lvs-hold-eth0-51";

const stack = "urn:pulumi:prod::lvs::pulumi:pulumi:Stack::lvs-prod";
const cluster = "urn:pulumi:prod::lvs::lvs:index:DrCluster::web";
const entry = (name: string, outputs: Bag): Entry => ({
  urn: `urn:pulumi:prod::lvs::lvs:index:DrCluster$pulumi-nodejs:dynamic/lvs:VrrpInstance::${name}`,
  type: "pulumi-nodejs:dynamic/lvs:VrrpInstance",
  parent: cluster,
  outputs,
});

/** Directors with an instance of these arguments each, and keepalived, which moves the addresses while a command waits. */
async function site(...given: Bag[]) {
  const hosts = new Map<string, FakeHost>(
    given.map((_, i) => [`director${i + 1}`, fakeHost({ label: `director${i + 1}` })] as const),
  );
  const entries: Entry[] = [
    { urn: stack, type: "pulumi:pulumi:Stack" },
    { urn: cluster, type: "lvs:index:DrCluster", parent: stack },
  ];
  for (const [i, [host, fake]] of [...hosts].entries()) {
    const args = {
      interface: "eth0",
      routerId: 51,
      addresses: [{ address: vip }, { address: "2001:db8::219" }],
    };
    const kind = resources(vrrpInstance, fake);
    const { props } = await kind.create({ connection: { host }, ...args, ...given[i] });
    entries.push(entry(`vip-${host}`, props));
  }
  const keepalived = new FakeKeepalived(hosts, "eth0-51");
  keepalived.settle();
  const gone = new Set<string>();
  let isStuck = false;
  const clock = new FakeClock(undefined, () => {
    if (!isStuck) keepalived.settle();
  });
  // A minute goes by at each look.
  const now = () => clock.now() * (isStuck ? 60 : 1);
  const time: Clock = { now, pause: () => clock.pause(), print: () => undefined };
  const find = (_: unknown, label: string) => ({
    submit: (job: { plan(facts: unknown): { steps: readonly { run: readonly string[] }[] } }) => {
      const fake = hosts.get(label);
      if (!fake || gone.has(label))
        return Promise.reject(new HostError(label, "no route to host", "check that it is up"));
      const plan = (facts: unknown) => {
        const planned = job.plan(facts);
        if (planned.steps.some(({ run }) => run[0] === "yield_vrrp")) keepalived.yielded.add(label);
        return planned;
      };
      return fake.host.submit({ ...job, plan } as never);
    },
  });
  const groups = groupsOf({ resources: entries });
  return {
    hosts,
    keepalived,
    groups,
    gone,
    stick: () => {
      isStuck = true;
    },
    held: () => [...hosts].flatMap(([host, fake]) => (fake.has(hold) ? [host] : [])),
    snapshots: () => [...hosts.values()].map((fake) => fake.snapshot()),
    async run(options: Failover | Maintenance) {
      const [printed, said]: [string[], string[]] = [[], []];
      const output = {
        print: async (text: string) => void printed.push(text),
        say: (line: string) => void said.push(line),
      };
      const code = await moveIn({ groups, find: find as never, clock: time }, options, output);
      return { code, printed: printed.join("\n"), said };
    },
  };
}

const high = { priority: 150 };
const low = { priority: 100 };

describe("pulumi-lvs failover", () => {
  test("moves all addresses to the other director, which keeps them until --back", async () => {
    const at = await site(high, low);
    const before = at.snapshots();
    at.hosts
      .get("director1")
      ?.write("ipvs", `-A -t ${vip}:80 -s rr\n-a -t ${vip}:80 -r 192.168.10.11:80 -m -w 1\n`);
    at.hosts.get("director1")?.write("connections", `${vip}:80 192.168.10.11:80 0 7 2\n`);
    const copy = at.hosts.get("director1")?.read("ipvs") ?? "";
    at.hosts.get("director2")?.write("ipvs", copy);
    const { code, printed, said } = await at.run({ name: "web" });
    expect(said).toEqual([]);
    expect(code).toBe(0);
    expect(printed).toMatch(
      /^192\.168\.0\.219 \(virtual router 51\)\n {2}director1 {2}master {5}7 active and 2 inactive connections\n {2}director2 {2}backup {5}0 active and 0 inactive connections\n192\.168\.0\.219 moved from director1 to director2 in 1\.0 s\n {2}director1 {2}backup {5}7 active and 2 inactive connections, held\n {2}director2 {2}master /,
    );
    expect(at.keepalived.masters()).toEqual(["director2"]);
    expect(at.hosts.get("director1")?.read(hold)).toBe("-253\n");
    // The other one is now the only backup, so a second call needs the word which.
    const again = await at.run({ name: "web" });
    expect(again.code).toBe(15);
    expect(again.said[0]).toMatch(
      /^cannot move 192\.168\.0\.219: director1 cannot take them: it is held; release/,
    );
    const back = await at.run({ name: "vip-director2", back: true, json: true });
    expect(back.code).toBe(0);
    expect(JSON.parse(back.printed)).toMatchObject([
      {
        address: vip,
        routerId: 51,
        from: "director2",
        to: "director1",
        seconds: 1,
        after: [{ state: "master" }, {}],
      },
    ]);
    expect(at.held()).toEqual([]);
    for (const fake of at.hosts.values()) for (const file of ["ipvs", "connections"]) fake.write(file, "");
    expect(at.snapshots()).toEqual(before);
  });

  test("moves them where no director preempts, by a fault that ends, and --back leaves them", async () => {
    const at = await site({ preempt: false, priority: 150 }, { preempt: false });
    expect((await at.run({ name: "web" })).code).toBe(0);
    expect(at.keepalived.masters()).toEqual(["director2"]);
    expect(at.hosts.get("director1")?.read(hold)).toBe("-253\n");
    const back = await at.run({ name: "web", back: true });
    expect(back.printed).toContain(`${vip} did not have to move\n`);
    expect([at.keepalived.masters(), at.held()]).toEqual([["director2"], []]);
  });

  test("moves them to a director by name, past one with a higher priority, and releases it if it is held", async () => {
    const at = await site(high, low, { priority: 50 });
    expect((await at.run({ name: "web", to: "director3" })).code).toBe(0);
    expect([at.keepalived.masters(), at.held()]).toEqual([["director3"], ["director1", "director2"]]);
    expect((await at.run({ name: "web", to: "director2" })).code).toBe(0);
    expect([at.keepalived.masters(), at.held()]).toEqual([["director2"], ["director1", "director3"]]);
    expect((await at.run({ name: "web", to: "director2" })).printed).toContain("did not have to move");
    at.gone.add("director1");
    const { said } = await at.run({ name: "web", to: "director1" });
    expect(said[0]).toBe(
      `cannot move ${vip}: director1 cannot take them: no route to host; check that it is up`,
    );
  });

  test("releases the director again if no other takes them, and says so", async () => {
    const at = await site(high, low);
    at.stick();
    const before = at.snapshots();
    const { code, said } = await at.run({ name: "web" });
    expect([code, said]).toEqual([
      16,
      [
        `cannot move ${vip} from director1: director2 did not take them within 34 s; see journalctl -u keepalived there`,
      ],
    ]);
    expect(at.snapshots()).toEqual(before);
  });

  test("changes nothing where the other director does not answer, or the name is of no instance", async () => {
    const at = await site(high, low);
    at.gone.add("director2");
    const before = at.snapshots();
    const { code, said, printed } = await at.run({ name: "web" });
    expect(code).toBe(15);
    expect(printed).toContain("  director2  not known  no route to host; check that it is up");
    expect(said).toEqual([
      `cannot move ${vip}: director2 cannot take them: no route to host; check that it is up`,
    ]);
    expect((await at.run({ name: "blog" })).said).toEqual([
      "the stack has no VrrpInstance or cluster blog; it has vip-director1, vip-director2, web",
    ]);
    expect(at.snapshots()).toEqual(before);
  });
});

describe("pulumi-lvs maintenance", () => {
  test("moves what is on the host, holds it, and --end gives it back", async () => {
    const at = await site(high, low);
    expect((await at.run({ host: "director1" })).code).toBe(0);
    expect([at.keepalived.masters(), at.held()]).toEqual([["director2"], ["director1"]]);
    // Held already.
    expect((await at.run({ host: "director1" })).printed).toContain("did not have to move");
    // Otherwise the addresses would go to the host in maintenance.
    expect((await at.run({ host: "director2" })).said[0]).toMatch(/director1 cannot take them: it is held/);
    expect((await at.run({ host: "director1", end: true })).code).toBe(0);
    expect([at.keepalived.masters(), at.held()]).toEqual([["director1"], []]);
    expect((await at.run({ host: "director9" })).said).toEqual([
      "the stack has no VrrpInstance on director9; it has director1, director2",
    ]);
  });

  test("holds a backup, too, and the deletion of an instance ends its hold", async () => {
    const at = await site(high, low);
    expect((await at.run({ host: "director2" })).code).toBe(0);
    expect([at.keepalived.masters(), at.held()]).toEqual([["director1"], ["director2"]]);
    const fake = at.hosts.get("director2");
    if (!fake) throw new Error("no host");
    const kind = resources(vrrpInstance, fake);
    const args = { connection: { host: "director2" }, interface: "eth0", routerId: 51 };
    const addresses = [{ address: vip }, { address: "2001:db8::219" }];
    const { props } = await kind.read(kind.inputsOf({ ...args, addresses, ...low }));
    expect(props).toMatchObject({ state: "backup", held: true, keepalived: "running", priority: 100 });
    // An update keeps it.
    const changed = await kind.update(props as Bag, { ...args, addresses, priority: 120 });
    expect([changed.held, at.held()]).toEqual([true, ["director2"]]);
    await kind.delete(changed);
    expect(at.held()).toEqual([]);
  });
});

test("groups of instances are those with one router id and first address, by their names or that of their cluster", () => {
  const bag = (host: string, more: Bag = {}): Bag => ({
    ...{ connection: { host }, interface: "eth0", routerId: 51, addresses: [{ address: vip }] },
    ...more,
  });
  const groups = groupsOf({
    resources: [
      { urn: stack, type: "pulumi:pulumi:Stack" },
      { urn: cluster, type: "lvs:index:DrCluster", parent: stack },
      entry("a", bag("director1")),
      // Another name of the interface on the other host.
      entry("b", bag("director2", { interface: "ens3" })),
      entry("c", bag("director2", { routerId: 52 })),
      { ...entry("d", bag("director3")), external: true },
      { ...entry("e", bag("director4")), delete: true },
      // Not computed yet.
      entry("f", {}),
    ],
  });
  expect(groups.map(({ instances }) => instances.map(({ host, name }) => `${host} ${name}`))).toEqual([
    ["director1 eth0-51", "director2 ens3-51"],
    ["director2 eth0-52"],
  ]);
  expect(namedBy(groups, "b")).toEqual([groups[0]]);
  expect(namedBy(groups, "web")).toEqual(groups);
  expect(groupsOn(groups, "director2")).toEqual(groups);
  expect(groupsOn(groups, "director1")).toEqual([groups[0]]);
});

describe("a move", () => {
  const web = `tcp://${vip}:80`;
  const table = (id: string, ...servers: string[]) =>
    new Map([[id, { flags: new Map(), realServers: new Map(servers.map((one) => [one, new Map()])) }]]);
  const living = (
    host: string,
    more: Partial<Omit<Living, "settings">> & { settings?: object } = {},
  ): Living => ({
    ...{ instance: { host } as never, isHeld: false, has: [], active: 0, inactive: 0 },
    ...{ table: table(web, "192.168.10.11:80"), health: new Map() },
    ...more,
    settings: {
      ...{ addresses: [{ address: vip }], trackServices: [], priority: 100, priorityDrop: 50 },
      ...{ preempt: true, preemptDelay: 0, advertInterval: 1 },
      ...more.settings,
    } as never,
  });
  const master = living("director1", { has: [vip] });
  const health = (state: "up" | "down") => new Map([[web, new Map([["192.168.10.11:80", state]])]]);
  const tracking = { trackServices: [web] };

  test.each<[string, Director[], RegExp]>([
    ["there is no other director", [master], /no other director for them than director1; declare one/],
    [
      "two have the addresses",
      [master, living("director2", { has: [vip] })],
      /director1 and director2 have them at once; let advertisements pass/,
    ],
    [
      "none has them",
      [living("director1"), living("director2")],
      /no director that answers has the addresses; wait/,
    ],
    [
      "the master has a part of them",
      [{ ...master, settings: { ...master.settings, addresses: [{}, {}] as never } }, living("director2")],
      /director1 has only a part of them/,
    ],
    [
      "the other has no server of a tracked service up",
      [master, living("director2", { settings: tracking, health: health("down") })],
      /director2 cannot take them: it has no server of tcp:\/\/192\.168\.0\.219:80 up/,
    ],
    [
      "the other does not have a service of these addresses",
      [master, living("director2", { table: new Map() })],
      /director2 cannot take them: it does not have the service tcp:.*; run pulumi up --refresh first/,
    ],
    [
      "the other has no real server of one",
      [master, living("director2", { table: table(web) })],
      /director2 cannot take them: it has no real server of tcp:/,
    ],
    [
      "one of the others could take them and not serve",
      [master, living("director2"), living("director3", { table: new Map() })],
      /director3 cannot take them/,
    ],
    [
      "the other is held",
      [master, living("director2", { isHeld: true })],
      /director2 cannot take them: it is held; release it first/,
    ],
  ])("is refused where %s", (_, directors, why) => {
    expect(() => failoverOf(directors)).toThrow(why);
  });

  test("takes no service of other addresses into account, and waits as long as the directors may need", () => {
    const other = living("director2", {
      settings: { ...tracking, preemptDelay: 60, advertInterval: 5 },
      health: health("up"),
    });
    const more = new Map([...master.table, ...table("tcp://192.168.0.9:80", "192.168.10.11:80")]);
    expect(failoverOf([{ ...master, table: more }, other])).toMatchObject({ seconds: 110, yields: false });
    expect(failoverOf([master, living("director2", { settings: { preempt: false } })]).yields).toBe(true);
  });

  test("of a release goes to the director that takes them by its priority", () => {
    const held = living("director2", { isHeld: true, settings: { priority: 150 } });
    expect(releaseOf([master, held])).toMatchObject({ from: master, targets: [held], release: [held] });
    // Its servers are down, it does not preempt, or another host is released.
    const down = { ...held, settings: { ...held.settings, ...tracking }, health: health("down") };
    expect(releaseOf([master, { ...down, settings: { ...down.settings, priorityDrop: 60 } }]).from).toBe(
      undefined,
    );
    expect(releaseOf([master, { ...held, settings: { ...held.settings, preempt: false } }]).from).toBe(
      undefined,
    );
    expect(releaseOf([master, held], "director1")).toMatchObject({ from: undefined, release: [] });
  });

  test("of maintenance needs an answer of the host", () => {
    const lost = { instance: { host: "director2" } as never, trouble: "no route to host" };
    expect(() => maintenanceOf([master, lost], "director2")).toThrow("no route to host");
    expect(maintenanceOf([{ ...master, has: [] }, lost], "director1")).toMatchObject({ from: undefined });
  });
});

describe("the command line", () => {
  test.each([
    [["failover", "web"], { command: "failover", name: "web" }],
    [
      ["failover", "web", "--to", "d2", "-s", "prod", "-C", "x", "--json"],
      { command: "failover", name: "web", to: "d2", stack: "prod", cwd: "x", json: true },
    ],
    [["failover", "web", "--back"], { command: "failover", name: "web", back: true }],
    [["maintenance", "d1", "--end"], { command: "maintenance", host: "d1", end: true }],
  ])("%j", (argv, wanted) => {
    expect(parseCommandLine(argv)).toEqual(wanted);
  });

  test.each([
    [
      ["failover"],
      /failover needs the name of a VrrpInstance or of a cluster; see pulumi-lvs failover --help/,
    ],
    [["failover", "a", "b"], /failover takes one name, not b too/],
    [["failover", "a", "--to", "b", "--back"], /--to or --back, not both/],
    [["maintenance"], /maintenance needs the name of a host; see pulumi-lvs maintenance --help/],
    [["maintenance", "a", "b"], /maintenance takes one host, not b too/],
    [["maintenance", "a", "--stop"], /unknown option '--stop'/],
  ])("%j is refused", (argv, why) => {
    expect(parseCommandLine(argv)).toMatchObject({ command: "wrong", why: expect.stringMatching(why) });
  });
});
