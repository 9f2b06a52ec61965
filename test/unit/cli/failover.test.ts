import { describe, expect, test } from "vitest";
import { directorConnection, readsSecret } from "../../../cli/failover/command.js";
import type { Director, Known } from "../../../cli/failover/director.js";
import { groupsOf, groupsOn, namedBy } from "../../../cli/failover/instances.js";
import { failoverOf, maintenanceOf, releaseOf } from "../../../cli/failover/moves.js";
import { parseCommandLine } from "../../../cli/program.js";
import { comparedInputs } from "../../../cli/status/command.js";
import type { Bag } from "../../../providers/engine/inputs.js";
import type { Entry } from "../../../rollback/deployment.js";
import { cluster, entry, stack } from "../../support/vrrp-entries.js";

const vip = "192.168.0.219";

test("groups of instances are those with one router id and first address, by their names or that of their cluster", () => {
  const bag = (host: string, more: Bag = {}): Bag => ({
    ...{ connection: { host }, interface: "eth0", routerId: 51, addresses: [{ address: vip }] },
    ...more,
  });
  const groups = groupsOf({
    resources: [
      { urn: stack, type: "pulumi:pulumi:Stack" },
      { urn: cluster, type: "lvs:index:DrCluster", parent: stack },
      // The state has no order.
      entry("c", bag("director2", { routerId: 52 })),
      // Another name of the interface on the other host.
      entry("b", bag("director2", { interface: "ens3", priority: 140 })),
      entry("g", bag("director0", { priority: 130 })),
      entry("a", bag("director1", { priority: 150 })),
      { ...entry("d", bag("director3")), external: true },
      { ...entry("e", bag("director4")), delete: true },
      // Not computed yet.
      entry("f", {}),
    ],
  });
  expect(groups.map(({ instances }) => instances.map(({ host, name }) => `${host} ${name}`))).toEqual([
    ["director1 eth0-51", "director2 ens3-51", "director0 eth0-51"],
    ["director2 eth0-52"],
  ]);
  expect(namedBy(groups, "b")).toEqual([groups[0]]);
  expect(namedBy(groups, "web")).toEqual(groups);
  expect(groupsOn(groups, "director2")).toEqual(groups);
  expect(groupsOn(groups, "director1")).toEqual([groups[0]]);
});

test("secrets are decrypted where the command reads one", () => {
  const secret = {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    ciphertext: "v1:…",
  };
  const monitor = (inputs: Bag): Entry => ({
    urn: `${stack}::m`,
    type: "pulumi-nodejs:dynamic/lvs:HealthMonitor",
    inputs,
  });
  const reads = (one: Entry) =>
    [directorConnection, comparedInputs].map((reading) => readsSecret({ resources: [one] }, reading));
  const login = { host: "web1", password: secret };
  expect(reads(entry("a", { connection: login }))).toEqual([true, true]);
  expect(reads(monitor({ check: { body: secret } }))).toEqual([false, true]);
  expect(reads(monitor({ connection: login }))).toEqual([false, false]);
  expect(reads({ ...monitor({ check: { body: secret } }), type: "random:index:RandomPassword" })).toEqual([
    false,
    false,
  ]);
});

describe("a move", () => {
  const web = `tcp://${vip}:80`;
  const table = (id: string, ...servers: string[]) =>
    new Map([[id, { flags: new Map(), realServers: new Map(servers.map((one) => [one, new Map()])) }]]);
  const known = (
    host: string,
    more: Partial<Omit<Known, "settings">> & { settings?: object } = {},
  ): Known => ({
    ...{ instance: { host } as never, isHeld: false, has: [], active: 0, inactive: 0 },
    ...{ table: table(web, "192.168.10.11:80"), health: new Map() },
    ...more,
    settings: {
      ...{ addresses: [{ address: vip }], trackServices: [], priority: 100, priorityDrop: 50 },
      ...{ preempt: true, preemptDelay: 0, advertInterval: 1 },
      ...more.settings,
    } as never,
  });
  const master = known("director1", { has: [vip] });
  const health = (state: "up" | "down") => new Map([[web, new Map([["192.168.10.11:80", state]])]]);
  const tracking = { trackServices: [web] };

  test.each<[string, Director[], RegExp]>([
    ["there is no other director", [master], /no other director for them than director1; declare one/],
    [
      "two have the addresses",
      [master, known("director2", { has: [vip] })],
      /director1 and director2 have them at once; let advertisements pass/,
    ],
    [
      "none has them",
      [known("director1"), known("director2")],
      /no director that answers has the addresses; wait/,
    ],
    [
      "the master has a part of them",
      [{ ...master, settings: { ...master.settings, addresses: [{}, {}] as never } }, known("director2")],
      /director1 has only a part of them/,
    ],
    [
      "the other has no server of a tracked service up",
      [master, known("director2", { settings: tracking, health: health("down") })],
      /director2 cannot take them: it has no server of tcp:\/\/192\.168\.0\.219:80 up/,
    ],
    [
      "the other does not have a service of these addresses",
      [master, known("director2", { table: new Map() })],
      /director2 cannot take them: it does not have the service tcp:.*; run pulumi up --refresh first/,
    ],
    [
      "the other has no real server of one",
      [master, known("director2", { table: table(web) })],
      /director2 cannot take them: it has no real server of tcp:/,
    ],
    [
      "one of the others could take them and not serve",
      [master, known("director2"), known("director3", { table: new Map() })],
      /director3 cannot take them/,
    ],
    [
      "keepalived runs on one of the others by a file that was changed by hand, or is not enabled there",
      [
        ...[master, known("director2")],
        { instance: { host: "director3" } as never, mayTake: true, trouble: "keepalived is disabled there" },
      ],
      /director3 cannot take them: keepalived is disabled there/,
    ],
    [
      "the other is held",
      [master, known("director2", { isHeld: true })],
      /director2 cannot take them: it is held; release it first/,
    ],
  ])("is refused where %s", (_, directors, why) => {
    expect(() => failoverOf(directors)).toThrow(why);
  });

  test("takes no service of other addresses into account, and waits as long as the directors may need", () => {
    const other = known("director2", {
      settings: { ...tracking, preemptDelay: 60, advertInterval: 5 },
      health: health("up"),
    });
    const more = new Map([...master.table, ...table("tcp://192.168.0.9:80", "192.168.10.11:80")]);
    expect(failoverOf([{ ...master, table: more }, other])).toMatchObject({ seconds: 140, yields: false });
    for (const settings of [{ preempt: false }, { priority: 1 }])
      expect(failoverOf([master, known("director2", { settings })]).yields).toBe(true);
  });

  test("of a release goes to the director that takes them by its priority", () => {
    const held = known("director2", { isHeld: true, settings: { priority: 150 } });
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

  test("of a release is refused where the host does not answer, or would take them and not serve", () => {
    const notKnown = { instance: { host: "director2" } as never, trouble: "keepalived is stopped there" };
    expect(() => releaseOf([master, notKnown], "director2")).toThrow(
      "director2 cannot be released: keepalived is stopped there",
    );
    const empty = known("director2", { isHeld: true, settings: { priority: 150 }, table: new Map() });
    for (const host of [undefined, "director2"])
      expect(() => releaseOf([master, empty], host)).toThrow(
        /^director2 would take them and cannot serve: it does not have the service tcp:/,
      );
  });

  test("of maintenance needs an answer of the host", () => {
    const notKnown = { instance: { host: "director2" } as never, trouble: "no route to host" };
    expect(() => maintenanceOf([master, notKnown], "director2")).toThrow("no route to host");
    expect(maintenanceOf([{ ...master, has: [] }, notKnown], "director1")).toMatchObject({ from: undefined });
    // One in FAULT is made a backup of last resort.
    const held = known("director2", { isHeld: true });
    expect(maintenanceOf([master, held], "director2").hold).toEqual([held]);
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
    [
      ["rolling", "web", "-s", "prod", "--", "apt-get", "-y", "upgrade"],
      { command: "rolling", name: "web", stack: "prod", line: "apt-get -y upgrade" },
    ],
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
    [["rolling"], /rolling needs the name of a VrrpInstance/],
    [["rolling", "web", "--"], /rolling needs a command behind --, such as -- reboot/],
    [["maintenance"], /maintenance needs the name of a host; see pulumi-lvs maintenance --help/],
    [["maintenance", "a", "b"], /maintenance takes one host, not b too/],
    [["maintenance", "a", "--stop"], /unknown option '--stop'/],
  ])("%j is refused", (argv, why) => {
    expect(parseCommandLine(argv)).toMatchObject({ command: "wrong", why: expect.stringMatching(why) });
  });
});
