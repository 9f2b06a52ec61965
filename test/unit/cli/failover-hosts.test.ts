import { describe, expect, test } from "vitest";
import type { Failover, Maintenance } from "../../../cli/failover/command.js";
import { moveIn } from "../../../cli/failover/command.js";
import { groupsOf, type Instance } from "../../../cli/failover/instances.js";
import { commandOn } from "../../../cli/failover/remote-command.js";
import { type RollingWorld, rollOn } from "../../../cli/failover/rolling.js";
import type { Clock } from "../../../providers/engine/clock.js";
import type { Bag } from "../../../providers/engine/inputs.js";
import { vrrpInstance } from "../../../providers/vrrp-instance/index.js";
import type { Entry } from "../../../rollback/deployment.js";
import { HostError } from "../../../src/errors.js";
import { fakeHost, resources } from "../../support/fake/engine.js";
import { FakeClock } from "../../support/fake/fake-clock.js";
import type { FakeHost } from "../../support/fake/fake-host.js";
import { FakeKeepalived } from "../../support/fake/keepalived.js";
import { cluster, entry, stack } from "../../support/vrrp-entries.js";

const vip = "192.168.0.219";
const hold = "run/pulumi-lvs-hold-eth0-51";

/** Directors with an instance of these arguments each, and keepalived, which moves the addresses while a command waits. */
async function directorsWith(...given: Bag[]) {
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
  keepalived.elect();
  const gone = new Set<string>();
  let isStuck = false;
  let pace = 1;
  let onStep = (_: string) => {};
  let onPause = () => {};
  const clock = new FakeClock(undefined, () => {
    if (!isStuck) keepalived.elect();
    onPause();
  });
  // A minute goes by at each look.
  const now = () => clock.now() * (isStuck ? 60 : pace);
  const time: Clock = { now, pause: () => clock.pause(), print: () => undefined };
  const find = (_: unknown, label: string) => ({
    submit: (job: { plan(facts: unknown): { steps: readonly { run: readonly string[] }[] } }) => {
      const fake = hosts.get(label);
      if (!fake || gone.has(label))
        return Promise.reject(new HostError(label, "no route to host", "check that it is up"));
      const plan = (facts: unknown) => {
        const planned = job.plan(facts);
        if (planned.steps.some(({ run }) => run[0] === "yield_vrrp")) keepalived.yielded.add(label);
        for (const { run } of planned.steps) onStep(run[0] ?? "");
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
    onPause: (act: () => void) => {
      onPause = act;
    },
    onStep: (act: (verb: string) => void) => {
      onStep = act;
    },
    hurry: () => {
      pace = 600;
    },
    held: () => [...hosts].flatMap(([host, fake]) => (fake.has(hold) ? [host] : [])),
    snapshots: () => [...hosts.values()].map((fake) => fake.snapshot()),
    async run(options: Failover | Maintenance) {
      const [printed, messages]: [string[], string[]] = [[], []];
      const output = {
        print: async (text: string) => void printed.push(text),
        log: (line: string) => void messages.push(line),
      };
      const code = await moveIn({ groups, find: find as never, clock: time }, options, output);
      return { code, printed: printed.join("\n"), messages };
    },
    async roll(run: RollingWorld["run"]) {
      const messages: string[] = [];
      const output = { print: async () => undefined, log: (line: string) => void messages.push(line) };
      const world = { groups, find: find as never, clock: time, run };
      return { code: await rollOn(world, { name: "web", line: "apt-get upgrade" }, output), messages };
    },
  };
}

const high = { priority: 150 };
const low = { priority: 100 };

describe("pulumi-lvs failover", () => {
  test("moves all addresses to the other director, which keeps them until --back", async () => {
    const at = await directorsWith(high, low);
    const before = at.snapshots();
    at.hosts
      .get("director1")
      ?.write("ipvs", `-A -t ${vip}:80 -s rr\n-a -t ${vip}:80 -r 192.168.10.11:80 -m -w 1\n`);
    at.hosts.get("director1")?.write("connections", `${vip}:80 192.168.10.11:80 0 7 2\n`);
    const copy = at.hosts.get("director1")?.read("ipvs") ?? "";
    at.hosts.get("director2")?.write("ipvs", copy);
    const { code, printed, messages } = await at.run({ name: "web" });
    expect(messages).toEqual([]);
    expect(code).toBe(0);
    expect(printed).toMatch(
      /^192\.168\.0\.219 \(virtual router 51\)\n {2}director1 {2}master {5}7 active and 2 inactive connections\n {2}director2 {2}backup {5}0 active and 0 inactive connections\n192\.168\.0\.219 moved from director1 to director2 in 1\.0 s\n {2}director1 {2}backup {5}7 active and 2 inactive connections, held\n {2}director2 {2}master /,
    );
    expect(at.keepalived.masters()).toEqual(["director2"]);
    expect(at.hosts.get("director1")?.read(hold)).toBe("-253\n");
    // The other one is now the only backup, so a second call needs the word which.
    const again = await at.run({ name: "web" });
    expect(again.code).toBe(15);
    expect(again.messages[0]).toMatch(
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

  test("moves those of instances whose files an older version wrote", async () => {
    const at = await directorsWith(high, low);
    const file = "etc/keepalived/pulumi-lvs.d/eth0-51.conf";
    for (const fake of at.hosts.values()) {
      const text = fake.read(file);
      fake.write(file, text.replace("\thigher_prio_send_advert\n", ""));
      expect(fake.read(file)).not.toBe(text);
    }
    const { code, messages } = await at.run({ name: "web" });
    expect({ code, messages }).toEqual({ code: 0, messages: [] });
    expect(at.keepalived.masters()).toEqual(["director2"]);
  });

  test("moves them where no director preempts, by a fault that ends, and --back leaves them", async () => {
    const at = await directorsWith({ preempt: false, priority: 150 }, { preempt: false });
    expect((await at.run({ name: "web" })).code).toBe(0);
    expect(at.keepalived.masters()).toEqual(["director2"]);
    expect(at.hosts.get("director1")?.read(hold)).toBe("-253\n");
    const back = await at.run({ name: "web", back: true });
    expect(back.printed).toContain(`${vip} did not have to move\n`);
    expect([at.keepalived.masters(), at.held()]).toEqual([["director2"], []]);
  });

  test("moves them to a director by name, past one with a higher priority, and releases it if it is held", async () => {
    const at = await directorsWith(high, low, { priority: 50 });
    expect((await at.run({ name: "web", to: "director3" })).code).toBe(0);
    expect([at.keepalived.masters(), at.held()]).toEqual([["director3"], ["director1", "director2"]]);
    expect((await at.run({ name: "web", to: "director2" })).code).toBe(0);
    expect([at.keepalived.masters(), at.held()]).toEqual([["director2"], ["director1", "director3"]]);
    expect((await at.run({ name: "web", to: "director2" })).printed).toContain("did not have to move");
    at.gone.add("director1");
    const { messages } = await at.run({ name: "web", to: "director1" });
    expect(messages[0]).toBe(
      `cannot move ${vip}: director1 cannot take them: no route to host; check that it is up`,
    );
  });

  test("releases the director again if no other takes them, and says so", async () => {
    const at = await directorsWith(high, low);
    at.stick();
    const before = at.snapshots();
    const { code, messages } = await at.run({ name: "web" });
    expect([code, messages]).toEqual([
      16,
      [
        `cannot move ${vip} from director1: director2 did not take them within 63 s; see journalctl -u keepalived there`,
      ],
    ]);
    expect(at.snapshots()).toEqual(before);
  });

  test("does not hold again where it releases a director that does not take them", async () => {
    const at = await directorsWith(high, low);
    await at.run({ name: "web" });
    at.stick();
    const back = await at.run({ name: "web", back: true });
    expect([back.code, back.messages, at.held()]).toEqual([
      16,
      [
        `cannot move ${vip} from director2: director1 did not take them within 63 s; see journalctl -u keepalived there`,
      ],
      [],
    ]);
  });

  test("names the director that does not answer any more, where the other one has them", async () => {
    const at = await directorsWith(high, low);
    at.onPause(() => {
      if (at.gone.has("director1")) at.hurry();
      at.gone.add("director1");
    });
    const { code, messages } = await at.run({ name: "web" });
    expect([code, at.keepalived.masters()]).toEqual([16, ["director2"]]);
    expect(messages[0]).toMatch(
      /^cannot move 192\.168\.0\.219 from director1: director2 has them, but director1 does not answer; see whether it has them, too; not undone; cannot release /,
    );
  });

  test("says where a release is not sure, because a director does not answer", async () => {
    const at = await directorsWith(high, low);
    await at.run({ host: "director1" });
    at.gone.add("director1");
    const end = await at.run({ host: "director1", end: true });
    const why = "no route to host; check that it is up";
    expect([end.code, end.messages]).toEqual([
      15,
      [`cannot move ${vip}: director1 cannot be released: ${why}`],
    ]);
    const back = await at.run({ name: "web", back: true });
    expect([back.code, back.messages]).toEqual([
      16,
      [`director1 may still be held, and is not released: ${why}`],
    ]);
    expect(at.held()).toEqual(["director1"]);
  });

  test("changes nothing where the other director does not answer, or the name is of no instance", async () => {
    const at = await directorsWith(high, low);
    at.gone.add("director2");
    const before = at.snapshots();
    const { code, messages, printed } = await at.run({ name: "web" });
    expect(code).toBe(15);
    expect(printed).toContain("  director2  not known  no route to host; check that it is up");
    expect(messages).toEqual([
      `cannot move ${vip}: director2 cannot take them: no route to host; check that it is up`,
    ]);
    expect((await at.run({ name: "blog" })).messages).toEqual([
      "cannot find blog: the stack has no VrrpInstance or cluster of this name; it has vip-director1, vip-director2, web",
    ]);
    expect(at.snapshots()).toEqual(before);
  });
});

describe("pulumi-lvs rolling", () => {
  const boots = "proc/sys/kernel/random/boot_id";

  test("runs the command on one director after the other, backups first, and waits for reboots", async () => {
    const at = await directorsWith(high, low);
    for (const fake of at.hosts.values()) fake.write(boots, "1\n");
    const seen: string[] = [];
    const reboot = async ({ host }: Instance) => {
      seen.push(`${host} of ${at.keepalived.masters()}, held ${at.held()}`);
      at.hosts.get(host)?.write(boots, "2\n");
      at.hosts.get(host)?.remove(hold);
      return { isGoingDown: true };
    };
    const { code, messages } = await at.roll(reboot);
    expect(seen).toEqual([
      "director2 of director1, held director2",
      "director1 of director2, held director1",
    ]);
    expect([code, messages]).toEqual([0, ["director2, 1 of 2", "director1, 2 of 2"]]);
    expect([at.keepalived.masters(), at.held()]).toEqual([["director1"], []]);
  });

  test("stops where the command fails, and leaves the director held", async () => {
    const at = await directorsWith(high, low);
    const { code, messages } = await at.roll(async (_, line, print) => {
      print(`${line} says no`);
      return { code: 100, isGoingDown: false };
    });
    expect([code, messages]).toEqual([
      16,
      [
        "director2, 1 of 2",
        "director2: apt-get upgrade says no",
        "the command failed on director2 (exit code 100), and director2 stays held; mend it, then run maintenance director2 --end",
      ],
    ]);
    expect([at.keepalived.masters(), at.held()]).toEqual([["director1"], ["director2"]]);
  });

  test("stops where a director does not come back, or comes back without its services", async () => {
    const at = await directorsWith(high, low);
    at.hurry();
    const wait = async (after: () => void) => {
      const { code, messages } = await at.roll(async () => {
        after();
        return { isGoingDown: false };
      });
      return `${code} ${messages.at(-1)}`;
    };
    const add = (host: string, text: string) => at.hosts.get(host)?.write("ipvs", text);
    expect(await wait(() => at.gone.add("director2"))).toMatch(
      /^16 director2 is not ready to serve after 1800 s: it does not answer; mend it, then run maintenance director2 --end$/,
    );
    at.gone.clear();
    expect((await at.run({ host: "director2", end: true })).code).toBe(0);
    expect(await wait(() => add("director1", `-A -t ${vip}:80 -s rr\n`))).toMatch(
      /^16 director2 is not ready to serve after 1800 s: it does not have the service tcp:/,
    );
  });

  test("stops where a director has rebooted into the addresses without the services of the other", async () => {
    const at = await directorsWith(high, low);
    for (const fake of at.hosts.values()) {
      fake.write(boots, "1\n");
      fake.write("ipvs", `-A -t ${vip}:80 -s rr\n`);
    }
    const { code, messages } = await at.roll(async ({ host }) => {
      const fake = at.hosts.get(host);
      fake?.write(boots, "2\n");
      fake?.remove(hold);
      if (host === "director1") {
        fake?.write("ipvs", "");
        at.hurry();
      }
      at.keepalived.elect();
      return { isGoingDown: true };
    });
    expect([code, at.keepalived.masters()]).toEqual([16, ["director1"]]);
    expect(messages.at(-1)).toMatch(
      /^director1 is not ready to serve after 1800 s: it does not have the service tcp:/,
    );
  });

  test("does not run where a director is held, and not where another run holds the master meanwhile", async () => {
    const at = await directorsWith(high, low);
    const ran: string[] = [];
    const run = async ({ host }: Instance) => {
      ran.push(host);
      return { code: 0, isGoingDown: false };
    };
    await at.run({ host: "director2" });
    expect(await at.roll(run)).toEqual({
      code: 15,
      messages: [
        "cannot begin with web: director2 is held, by an operator or another run; release it first (maintenance director2 --end)",
      ],
    });
    expect([ran, at.held()]).toEqual([[], ["director2"]]);
    await at.run({ host: "director2", end: true });
    at.onStep((verb) => {
      if (verb === "hold_vrrp") at.hosts.get("director1")?.write(hold, "-253\n");
    });
    expect(await at.roll(run)).toEqual({
      code: 16,
      messages: [
        "director2, 1 of 2",
        "the command does not run on director2: director1, which has the addresses, is held; see whether there is another run",
        "stopped at director2, 1 of 2; it is released",
      ],
    });
    expect([ran, at.held()]).toEqual([[], ["director1"]]);
  });

  test("ends with 16 where a later director is refused, because the first one has run", async () => {
    const at = await directorsWith(high, low);
    at.onStep((verb) => {
      // director2 lacks it.
      if (verb === "release_vrrp") at.hosts.get("director1")?.write("ipvs", `-A -t ${vip}:80 -s rr\n`);
    });
    const { code, messages } = await at.roll(async () => ({ code: 0, isGoingDown: false }));
    expect([code, messages.at(-1)]).toEqual([
      16,
      "stopped at director1, 2 of 2; it may be held: see it, then run maintenance director1 --end",
    ]);
    expect(messages.at(-2)).toMatch(
      /^cannot move 192\.168\.0\.219: director2 cannot take them: it does not have/,
    );
  });

  test("shows what a command prints, its exit code, and whether the host goes down", async () => {
    const fake = fakeHost();
    const run = async (line: string, host = "") => {
      const printed: string[] = [];
      const stream = fake.stream();
      stream.write(`${host}\n`);
      const ran = await commandOn(stream, line, (one) => printed.push(one));
      return { ...ran, printed };
    };
    expect(await run("printf 'a b\\nc'; [ \"$(cat)\" = '' ]; exit 3")).toEqual({
      ...{ code: 3, isGoingDown: false },
      printed: ["a b", "c"],
    });
    expect(await run("kill -9 $PPID")).toEqual({ isGoingDown: true, printed: [] });
    // logind delays the reboot, or it is for later. systemd says that it runs.
    for (const [is, ...lines] of [
      [true, "b true", '(st) "" 0'],
      [true, "b false", '(st) "reboot" 1796025600000000'],
      [false, "b false", '(st) "" 0'],
      [false, "b false", '(st) "ignore" 18446744073709551615'],
      [false, "Failed to get property"],
    ] as const) {
      const busctl = `busctl() { printf '%s\\n' ${lines.map((one) => `'${one}'`).join(" ")}; }`;
      const ran = await run(":", `systemctl() { printf 'running\\n'; }; ${busctl}`);
      expect(ran).toMatchObject({ code: 0, isGoingDown: is });
    }
  });
});

describe("pulumi-lvs maintenance", () => {
  test("moves what is on the host, holds it, and --end gives it back", async () => {
    const at = await directorsWith(high, low);
    expect((await at.run({ host: "director1" })).code).toBe(0);
    expect([at.keepalived.masters(), at.held()]).toEqual([["director2"], ["director1"]]);
    // Held already.
    expect((await at.run({ host: "director1" })).printed).toContain("did not have to move");
    // Otherwise the addresses would go to the host in maintenance.
    expect((await at.run({ host: "director2" })).messages[0]).toMatch(
      /director1 cannot take them: it is held/,
    );
    expect((await at.run({ host: "director1", end: true })).code).toBe(0);
    expect([at.keepalived.masters(), at.held()]).toEqual([["director1"], []]);
    expect((await at.run({ host: "director9" })).messages).toEqual([
      "cannot find director9: the stack has no VrrpInstance on it; it has director1, director2",
    ]);
  });

  test("holds a backup, too, and the deletion of an instance ends its hold", async () => {
    const at = await directorsWith(high, low);
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
