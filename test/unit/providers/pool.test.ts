import { describe, expect, test, vi } from "vitest";
import { declareOnce } from "../../../providers/engine/declarations.js";
import { Engine } from "../../../providers/engine/engine.js";
import type { Bag } from "../../../providers/engine/inputs.js";
import { Program } from "../../../providers/engine/program.js";
import { rollingBack } from "../../../providers/engine/rolling-back.js";
import { healthMonitor } from "../../../providers/health-monitor/index.js";
import { verbsOf } from "../../../providers/provider.js";
import { realServer } from "../../../providers/real-server/index.js";
import { virtualService } from "../../../providers/virtual-service/index.js";
import { connection, fakeHost, resources } from "../../support/fake/engine.js";
import { FakeClock } from "../../support/fake/fake-clock.js";
import type { FakeHost } from "../../support/fake/fake-host.js";
import { FakeStack } from "../../support/fake/preview.js";

const service = "tcp://192.168.0.5:80";
const entry = "-A -t 192.168.0.5:80 -s wlc";
const line = (n: number, weight: number) => `-a -t 192.168.0.5:80 -r 192.168.10.${n}:80 -g -w ${weight}`;
const at = (n: number) => `192.168.10.${n}:80`;

/** A pool of servers by their last number, each with its weight or its fields. */
const pool = (servers: Record<number, number | Bag>): Bag =>
  Object.fromEntries(
    Object.entries(servers).map(([n, fields]) => [
      at(Number(n)),
      typeof fields === "number" ? { weight: fields } : fields,
    ]),
  );
const web = (servers?: Record<number, number | Bag>, more: Bag = {}): Bag => ({
  ...{ address: "192.168.0.5", port: 80, ...more },
  ...(servers ? { realServers: pool(servers) } : {}),
});

const record = (n: number, weight: number, owner = "p/s/one") =>
  ["60", "object", `RealServer ${service}/${at(n)}`, owner, "server", "-t", "192.168.0.5:80", "-r", at(n)]
    .concat("-g", "-w", String(weight))
    .join("\t");
const records = (fake: FakeHost) =>
  fake.lines("etc/pulumi-lvs/boot").filter((one) => one.includes("\tRealServer "));

const outputsOf = ({ realServers }: Bag) => realServers as Record<string, Bag>;

describe("a pool", () => {
  test("is one transaction, with a record of each server as its own resource would have, and goes without a trace", async () => {
    const fake = fakeHost();
    const untouched = fake.snapshot();
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web({ 11: 1, 12: 2, 13: 3 }));
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1), line(12, 2), line(13, 3)]);
    expect(records(fake)).toEqual([record(11, 1), record(12, 2), record(13, 3)]);
    // One that reads, and one that changes.
    expect(fake.runs).toBe(2);
    const { props: read } = await kind.read(props);
    expect(read).toEqual(props);
    const before = fake.changes().length;
    const changed = await kind.update(props, web({ 12: 5, 13: 3, 14: 4 }));
    expect(fake.lines("ipvs")).toEqual([entry, line(12, 5), line(13, 3), line(14, 4)]);
    expect(records(fake).sort()).toEqual([record(12, 5), record(13, 3), record(14, 4)]);
    expect(fake.changes().slice(before)).toEqual(["ipvsadm -R"]);
    await kind.delete(changed);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("changes one server by the command that its own resource would run", async () => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web({ 11: 1, 12: 2 }));
    const before = fake.changes().length;
    await kind.update(props, web({ 11: 1, 12: 3 }));
    expect(fake.changes().slice(before)).toEqual([`ipvsadm ${line(12, 3).replace("-a", "-e")}`]);
  });

  test("of IPv6 servers has them in any spelling, with the same records", async () => {
    const fake = fakeHost();
    const untouched = fake.snapshot();
    const kind = resources(virtualService, fake);
    const given = {
      address: "2001:db8::5",
      port: 443,
      realServers: { "[2001:DB8:0::11]:443": { weight: 2 } },
    };
    const { props } = await kind.create(given);
    expect(Object.keys(outputsOf(props))).toEqual(["[2001:db8::11]:443"]);
    expect(fake.lines("ipvs")).toEqual([
      "-A -t [2001:db8::5]:443 -s wlc",
      "-a -t [2001:db8::5]:443 -r [2001:db8::11]:443 -g -w 2",
    ]);
    expect(records(fake)[0]).toContain("\tserver\t-t\t[2001:db8::5]:443\t-r\t[2001:db8::11]:443\t-g\t-w\t2");
    await kind.delete(props);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("that is empty removes all servers, and one that is not declared leaves them", async () => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web({ 11: 1, 12: 2 }));
    const left = await kind.update(props, web());
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1), line(12, 2)]);
    const again = await kind.update(left, web({ 11: 1 }));
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1)]);
    // Without a RealServer none of them counts as left behind.
    const out = await kind.update(again, web());
    expect((await kind.read(out)).props).toEqual(out);
    expect([fake.lines("ipvs"), records(fake)]).toEqual([[entry, line(11, 1)], [record(11, 1)]]);
    await kind.update(await kind.update(out, web({ 11: 1 })), web({}));
    expect([fake.lines("ipvs"), records(fake)]).toEqual([[entry], []]);
  });

  test("shows by a refresh what was changed, added and removed by hand, by the server, and mends it", async () => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web({ 11: 1, 12: 2, 13: 3 }));
    fake.write("ipvs", `${[entry, line(11, 9), line(13, 3), line(99, 7)].join("\n")}\n`);
    const { props: found, inputs } = await kind.read(props);
    expect(Object.entries(outputsOf(found as Bag)).map(([name, { weight }]) => [name, weight])).toEqual([
      [at(11), 9],
      [at(13), 3],
      [at(99), 7],
    ]);
    expect(outputsOf(inputs as Bag)).toEqual(outputsOf(found as Bag));
    await kind.update(found as Bag, web({ 11: 1, 12: 2, 13: 3 }));
    expect(fake.lines("ipvs").sort()).toEqual([entry, line(11, 1), line(12, 2), line(13, 3)].sort());
    fake.write("ipvs", `${[entry, line(13, 1), line(98, 7)].join("\n")}\n`);
    await kind.update(props, web({ 11: 1, 12: 2 }));
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1), line(12, 2)]);
    expect(records(fake).sort()).toEqual([record(11, 1), record(12, 2)]);
  });

  test("has the lost record of a server written again by the next update", async () => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web({ 11: 1, 12: 2 }));
    const boot = fake.read("etc/pulumi-lvs/boot");
    fake.write("etc/pulumi-lvs/boot", boot.replace(`${record(12, 2)}\n`, ""));
    const { props: found } = await kind.read(props);
    expect(found?.record).toBe("missing");
    await kind.update(found as Bag, web({ 11: 1, 12: 2 }));
    expect(records(fake).sort()).toEqual([record(11, 1), record(12, 2)]);
    expect((await kind.read(props)).props?.record).toBeUndefined();
  });

  test.each([1, 3])("is undone as a whole if the kernel refuses line %i", async (n) => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web({ 11: 1, 12: 2, 13: 3 }));
    const [before, boot] = [fake.lines("ipvs").sort(), fake.lines("etc/pulumi-lvs/boot").sort()];
    fake.refuseLine(n);
    await expect(kind.update(props, web({ 11: 5, 13: 3, 14: 4, 15: 5 }))).rejects.toThrow(
      /^cannot update tcp:\/\/192\.168\.0\.5:80 on director1: `ipvsadm -R` with 4 lines failed \(exit code 1\): /,
    );
    expect(fake.lines("ipvs").sort()).toEqual(before);
    expect(fake.lines("etc/pulumi-lvs/boot").sort()).toEqual(boot);
  });

  test("is read, changed and deleted although a record of one of its servers has a damaged name", async () => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web({ 11: 1, 12: 2 }));
    const boot = "etc/pulumi-lvs/boot";
    const damaged = (name: string) => record(11, 1).replace(`${service}/${at(11)}`, `${service}/${name}`);
    const names = ["garbage", "", "192.168.10.011:80", "[::1:80", "192.168.10.11", "192.168.10.11:99999999"];
    fake.write(boot, `${[fake.read(boot).trimEnd(), ...names.map(damaged)].join("\n")}\n`);
    fake.write(
      "ipvs",
      `${[...fake.lines("ipvs"), line(98, 7).replace("192.168.10.98", "224.0.0.1")].join("\n")}\n`,
    );
    const { props: found } = await kind.read(props);
    expect(Object.keys(outputsOf(found as Bag))).toEqual([at(11), at(12), "224.0.0.1:80"]);
    const changed = await kind.update(found as Bag, web({ 11: 1, 13: 3 }));
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1), line(13, 3)]);
    await kind.delete(changed);
    expect([fake.lines("ipvs"), fake.has(boot)]).toEqual([[], false]);
  });

  test("leaves what a health monitor keeps out, and the sorry server that it has added", async () => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web({ 11: 1, 12: 2 }));
    fake.write("ipvs", `${[entry, line(11, 1), line(50, 1)].join("\n")}\n`);
    fake.write("run/pulumi-lvs/health", `${service}\t${at(12)}\tdown\t0\n${service}\t${at(50)}\tsorry\t0\n`);
    const { props: found } = await kind.read(props);
    expect(found).toEqual(props);
    const changed = await kind.update(props, web({ 11: 1, 12: 7 }));
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1), line(50, 1)]);
    expect(records(fake).sort()).toEqual([record(11, 1), record(12, 7)]);
    // One that is out of the table goes with its record.
    await kind.update(changed, web({ 11: 1 }));
    expect([fake.lines("ipvs"), records(fake)]).toEqual([[entry, line(11, 1), line(50, 1)], [record(11, 1)]]);
  });

  test.each<[string, unknown, string]>([
    ["a name without a port", { "192.168.10.11": {} }, '"192.168.10.11" is not an address and port'],
    ["an address that no host has", { "224.0.0.1:80": {} }, '"224.0.0.1:80" is not an address and port'],
    ["a wrong weight", { [at(11)]: { weight: -1 } }, "-1 is below 0"],
    ["another port with gatewaying", { "192.168.10.11:81": {} }, "81 is not the service's 80"],
    ["a server in two spellings", { "[::1]:80": {}, "[0::1]:80": {} }, "is the same server as"],
    ["an unknown field", { [at(11)]: { wieght: 1 } }, "is not a known property"],
  ])("refuses %s, by its place", (_, realServers, reason) => {
    const { failures } = resources(virtualService, fakeHost()).engine.check(
      {},
      { connection, ...web(), realServers },
    );
    expect(`${failures[0]?.property} ${failures[0]?.reason}`).toContain(reason);
  });
});

const drain = { timeout: 60, minimum: 1 };
const started = 1769860800;

describe("a server that leaves a pool, with a drain", () => {
  /** A director whose servers have connections until a second, and what it shows at each. */
  function director(until: number) {
    const fake = fakeHost();
    const seen: string[][] = [];
    const flows = (count: number) =>
      fake.write("connections", [11, 12, 13].map((n) => `192.168.0.5:80 ${at(n)} 0 ${count} 0\n`).join(""));
    flows(2);
    const clock = new FakeClock(fake, (second) => {
      seen.push(fake.lines("ipvs").slice(1));
      if (second >= until) flows(0);
    });
    return { fake, seen, clock };
  }

  test("is quiesced after the one in its place has come, and goes when its connections have ended", async () => {
    const { fake, seen, clock } = director(3);
    const kind = resources(virtualService, fake, clock);
    const { props } = await kind.create(web({ 11: 1, 12: { weight: 2, drain } }));
    const changed = await kind.update(props, web({ 11: 1, 13: 3 }));
    expect(new Set(seen.flat())).toEqual(new Set([line(11, 1), line(12, 0), line(13, 3)]));
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1), line(13, 3)]);
    expect(records(fake).sort()).toEqual([record(11, 1), record(13, 3)]);
    expect(clock.printed).toEqual([`director1: ${at(12)} of ${service} drained in 3 s`]);
    expect(changed.drained).toEqual([
      { ...{ server: at(12), seconds: 3, forced: 0, clean: true }, at: expect.any(String) },
    ]);
    expect(fake.has("run/pulumi-lvs/draining")).toBe(false);
  });

  test("is waited for when its weight becomes 0, and with all others when the service goes", async () => {
    const { fake, clock } = director(3);
    const untouched = fake.snapshot();
    const kind = resources(virtualService, fake, clock);
    const { props } = await kind.create(web({ 11: { drain }, 12: { drain }, 13: 3 }));
    const changed = await kind.update(props, web({ 11: { drain }, 12: { weight: 0, drain }, 13: 3 }));
    expect(clock.printed).toEqual([`director1: ${at(12)} of ${service} drained in 3 s`]);
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1), line(12, 0), line(13, 3)]);
    await kind.delete(changed);
    expect(clock.printed).toHaveLength(3);
    fake.write("date", `${started}\n`);
    fake.write("connections", [11, 12, 13].map((n) => `192.168.0.5:80 ${at(n)} 0 2 0\n`).join(""));
    expect(fake.snapshot()).toBe(untouched);
  });

  test.each([
    ["a RealServer", realServer, { service, address: "192.168.10.20", port: 80 }],
    ["a HealthMonitor", healthMonitor, { service, check: { type: "tcp" } }],
  ])(
    "keeps its weight if the deletion is refused, because another stack has %s there",
    async (_, other, args) => {
      const { fake, clock } = director(3);
      const kind = resources(virtualService, fake, clock);
      const { props } = await kind.create(web({ 11: { drain }, 12: { weight: 2, drain } }));
      await resources(other, fake).create(args, "q/s/theirs");
      const before = fake.snapshot();
      await expect(kind.delete(props)).rejects.toThrow(
        `cannot delete ${service} on director1: the deletion would also delete what another stack has: q/s/theirs`,
      );
      expect(fake.snapshot()).toBe(before);
      expect(clock.printed).toEqual([]);
    },
  );

  test("keeps its weight if another stack has taken the service over, which the deletion leaves", async () => {
    const { fake, clock } = director(3);
    const kind = resources(virtualService, fake, clock);
    const { props } = await kind.create(web({ 11: { drain }, 12: { weight: 2, drain } }));
    await kind.create(web(undefined, { adopt: true }), "q/s/theirs");
    await kind.delete(props);
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1), line(12, 2)]);
    expect(clock.printed).toEqual([]);
  });

  test("is in use again at once if it is declared again after a run that died", async () => {
    const { fake } = director(1000);
    const killed = new Error("killed");
    const dying = new FakeClock(fake, (second) => {
      if (second === 5) throw killed;
    });
    const { props } = await resources(virtualService, fake).create(web({ 11: 1, 12: { weight: 2, drain } }));
    await expect(resources(virtualService, fake, dying).update(props, web({ 11: 1 }))).rejects.toThrow(
      killed,
    );
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1), line(12, 0)]);
    await fake.newRun();
    await resources(virtualService, fake).update(props, web({ 11: 1, 12: { weight: 2, drain } }));
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1), line(12, 2)]);
    expect(fake.has("run/pulumi-lvs/draining")).toBe(false);
  });
});

/** Resources of a program, by their names. */
const goals = (names: Record<string, [kind: string, args: Bag]>) =>
  Object.entries(names).map(([name, [kind, args]]) => ({
    ...{ kind, name },
    inputs: { connection, owner: `p/s/${name}`, ...args },
  }));

const drains = (...servers: number[]): Bag => Object.fromEntries(servers.map((n) => [at(n), { ...drain }]));
const withDrains = (service_: Bag, ...servers: number[]) =>
  goals({
    web: ["VirtualService", { ...service_, drainLater: true }],
    drain: ["PoolDrain", { service, realServers: drains(...servers) }],
  });
const twoThatDrain = { 11: { drain }, 12: { weight: 2, drain } };

/** A director with a connection to each server, and a stack whose updates are by a program. */
function drainLater() {
  const fake = fakeHost();
  const flows = (count: number) =>
    fake.write("connections", [11, 12].map((n) => `192.168.0.5:80 ${at(n)} 0 ${count} 0\n`).join(""));
  const one = new FakeStack(new Map([["director1", fake]]), (second) => {
    if (second >= 4) flows(0);
  });
  const up = async (goal: ReturnType<typeof goals>) => one.up(one.preview(goal as never));
  return { fake, flows, one, up };
}

describe("a PoolDrain", () => {
  test("stays quiesced in the update of the service, and goes in that of the PoolDrain when it has no connection", async () => {
    const { fake, flows, one, up } = drainLater();
    fake.write("connections", "");
    const untouched = fake.snapshot();
    flows(2);
    await up(withDrains(web(twoThatDrain), 11, 12));
    const without = withDrains(web({ 11: { drain } }), 11);
    const steps = one.preview(without as never);
    expect(steps.map(({ op }) => op)).toEqual(["update", "update"]);
    await one.up(steps.slice(0, 1));
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1), line(12, 0)]);
    expect(records(fake)).toEqual([record(11, 1, "p/s/web"), record(12, 2, "p/s/web")]);
    expect(fake.lines("run/pulumi-lvs/draining")).toEqual([expect.stringMatching(`${at(12)}\t`)]);
    await up(without);
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1)]);
    expect(records(fake)).toEqual([record(11, 1, "p/s/web")]);
    expect(fake.has("run/pulumi-lvs/draining")).toBe(false);
    await up([]);
    fake.write("connections", "");
    fake.write("date", `${started}\n`);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("refuses to remove a server that is not quiesced, because the service was left out of the run", async () => {
    const { fake, one, up } = drainLater();
    await up(withDrains(web(twoThatDrain), 11, 12));
    const before = fake.snapshot();
    const [, last] = one.preview(withDrains(web({ 11: { drain } }), 11) as never);
    await expect(one.up([last as never])).rejects.toThrow(
      `cannot update drain/${service} on director1: ${at(12)} does not have weight 0; run \`pulumi up --refresh\` with the service in it`,
    );
    expect(fake.snapshot()).toBe(before);
  });

  test("leaves a server that a RealServer has taken over", async () => {
    const { fake, up } = drainLater();
    await up(withDrains(web(twoThatDrain), 11, 12));
    await up([
      ...goals({ web: ["VirtualService", web()] }),
      ...[11, 12].flatMap((n) =>
        goals({ [`s${n}`]: ["RealServer", { service, address: `192.168.10.${n}`, port: 80, weight: n }] }),
      ),
      ...withDrains(web(), 11).slice(1),
    ]);
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 11), line(12, 12)]);
  });

  test("finds a server again that was quiesced by a run that ended before it, although the service changed since", async () => {
    const { fake, one, up } = drainLater();
    await up(withDrains(web(twoThatDrain), 11, 12));
    await one.up(one.preview(withDrains(web({ 11: { drain } }), 11) as never).slice(0, 1));
    await one.up(one.preview(withDrains(web({ 11: { weight: 5, drain } }), 11) as never).slice(0, 1));
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 5), line(12, 0)]);
    await up(withDrains(web({ 11: { weight: 5, drain } }), 11));
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 5)]);
  });

  /** Ends a run after its first step, the update of the service. */
  const onlyService = (one: FakeStack, program: ReturnType<typeof goals>) =>
    one.up(one.preview(program as never).slice(0, 1));
  const onlyFirst = withDrains(web({ 11: { drain } }), 11);

  test("is as before after a rollback of an update that had not reached it", async () => {
    const { fake, one, up } = drainLater();
    await up(onlyFirst);
    const [before, table] = [fake.lines("etc/pulumi-lvs/boot"), fake.lines("ipvs")];
    await onlyService(one, withDrains(web(twoThatDrain), 11, 12));
    vi.stubEnv(rollingBack, "1");
    const back = one.preview(onlyFirst as never);
    expect(back.map(({ op }) => op)).toEqual(["update", "same"]);
    await one.up(back).finally(vi.unstubAllEnvs);
    expect([fake.lines("etc/pulumi-lvs/boot"), fake.lines("ipvs")]).toEqual([before, table]);
    expect(fake.has("run/pulumi-lvs/draining")).toBe(false);
  });

  test("finds by a refresh what an update without change of it has left, and removes it", async () => {
    const { fake, one, up } = drainLater();
    await up(onlyFirst);
    await onlyService(one, withDrains(web(twoThatDrain), 11, 12));
    await up(onlyFirst);
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1), line(12, 0)]);
    await one.refresh();
    const found = one.entries.find(({ type }) => type.endsWith(":PoolDrain"));
    expect(found?.outputs).toMatchObject({ realServers: { [at(11)]: drain, [at(12)]: null } });
    await up(onlyFirst);
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1)]);
    expect(records(fake)).toEqual([record(11, 1, "p/s/web")]);
    await one.refresh();
    expect(one.preview(onlyFirst as never).map(({ op }) => op)).toEqual(["same", "same"]);
  });

  test("that is created in the update which removes a server removes it", async () => {
    const { fake, up } = drainLater();
    await up(withDrains(web(twoThatDrain)).slice(0, 1));
    await up(onlyFirst);
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1)]);
    expect(fake.has("run/pulumi-lvs/draining")).toBe(false);
  });

  test("that goes with the pool removes what a run that ended before it has left, and no RealServer", async () => {
    const { fake, one, up } = drainLater();
    await up(withDrains(web(twoThatDrain), 11, 12));
    await onlyService(one, onlyFirst);
    await up(
      goals({
        web: ["VirtualService", web()],
        s11: ["RealServer", { service, address: "192.168.10.11", port: 80, weight: 0, drain }],
      }),
    );
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 0)]);
    expect(records(fake)).toEqual([record(11, 0, "p/s/s11")]);
  });

  test("waits as the former limits of a server say, although no other server drains any more", async () => {
    const { fake, one, up } = drainLater();
    const program = (servers: Record<number, Bag>, ends: Bag) =>
      goals({
        web: ["VirtualService", web(servers, { drainLater: true })],
        drain: ["PoolDrain", { service, realServers: ends }],
      });
    await up(program({ 11: {}, 12: { weight: 2, drain } }, { [at(11)]: null, [at(12)]: drain }));
    const without = program({ 11: {} }, { [at(11)]: null });
    await onlyService(one, without);
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1), line(12, 0)]);
    await up(without);
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1)]);
    expect(fake.lines("run/pulumi-lvs/drained")).toEqual([
      expect.stringContaining(`${at(12)}\t${drain.minimum}\t0\t`),
    ]);
  });

  test("leaves an entry of which its service has no record, and the service removes it", async () => {
    const { fake, one, up } = drainLater();
    await up(withDrains(web(twoThatDrain), 11, 12));
    await onlyService(one, onlyFirst);
    const boot = fake.read("etc/pulumi-lvs/boot");
    fake.write("etc/pulumi-lvs/boot", boot.replace(`${record(12, 2, "p/s/web")}\n`, ""));
    await up(onlyFirst);
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1), line(12, 0)]);
    await up(withDrains(web({ 11: { weight: 5, drain } }), 11));
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 5)]);
    expect(fake.has("run/pulumi-lvs/draining")).toBe(false);
  });

  test("has nothing to do if the server is declared again", async () => {
    const { fake, one, up } = drainLater();
    await up(withDrains(web(twoThatDrain), 11, 12));
    const before = fake.snapshot();
    await one.up(one.preview(withDrains(web({ 11: { drain } }), 11) as never).slice(0, 1));
    await up(withDrains(web(twoThatDrain), 11, 12));
    expect(fake.snapshot()).toBe(before);
  });
});

describe("servers that become a pool, and are resources of their own again", () => {
  const own = (n: number, weight: number, more: Bag = {}): [string, Bag] => [
    "RealServer",
    { ...{ service, address: `192.168.10.${n}`, port: 80, weight }, ...more },
  ];
  const separate = (more: Bag = {}) =>
    goals({ web: ["VirtualService", web()], s1: own(11, 1, more), s2: own(12, 2, more) });
  const pooled = (servers: Record<number, number | Bag> = { 11: 1, 12: 2 }) =>
    goals({ web: ["VirtualService", web(servers)] });

  function stack() {
    const fake = fakeHost();
    const one = new FakeStack(new Map([["director1", fake]]));
    const up = async (program: ReturnType<typeof goals>) =>
      (await one.up(one.preview(program as never))).get("director1");
    return { fake, one, up };
  }

  test("change nothing in the table, and each record has its owner", async () => {
    const drain = { timeout: 60, minimum: 1 };
    const { fake, up } = stack();
    await up(separate({ drain }));
    fake.write("connections", `192.168.0.5:80 ${at(11)} 0 2 0\n`);
    const table = [entry, line(11, 1), line(12, 2)];
    for (const [program, owners] of [
      [pooled(), ["web", "web"]],
      [separate({ drain }), ["s1", "s2"]],
      [pooled({ 11: { weight: 1, drain }, 12: { weight: 2, drain } }), ["web", "web"]],
      [separate(), ["s1", "s2"]],
    ] as const) {
      expect(await up(program)).toEqual([]);
      expect(fake.lines("ipvs")).toEqual(table);
      expect(records(fake).sort()).toEqual([
        record(11, 1, `p/s/${owners[0]}`),
        record(12, 2, `p/s/${owners[1]}`),
      ]);
    }
  });

  test("may change and leave on the way: a resource that goes drains as its own declaration says", async () => {
    const { fake, up } = stack();
    await up(separate());
    expect(await up(pooled({ 12: 5, 13: 3 }))).toEqual([
      "ipvsadm -R",
      `ipvsadm -d -t 192.168.0.5:80 -r ${at(11)}`,
    ]);
    expect(fake.lines("ipvs")).toEqual([entry, line(12, 5), line(13, 3)]);
    expect(records(fake).sort()).toEqual([record(12, 5, "p/s/web"), record(13, 3, "p/s/web")]);
    await up(separate());
    expect(fake.lines("ipvs").sort()).toEqual([entry, line(11, 1), line(12, 2), line(13, 3)].sort());
  });

  test("show by a refresh what the pool has left behind, and the next update deletes it with its record", async () => {
    const { fake, one, up } = stack();
    await up(pooled({ 11: 1, 12: 2, 13: 3, 14: 4 }));
    const program = goals({ web: ["VirtualService", web()], s1: own(11, 1) });
    const changed = () =>
      one
        .preview(program as never)
        .filter(({ op }) => op !== "same")
        .map(({ op, urn }) => [op, urn.split("::").at(-1)]);
    expect(await up(program)).toEqual([]);
    const other = record(14, 4, "q/s/theirs");
    fake.write(
      "etc/pulumi-lvs/boot",
      fake.read("etc/pulumi-lvs/boot").replace(record(14, 4, "p/s/web"), other),
    );
    expect(changed()).toEqual([]);
    await one.refresh();
    const found = one.entries.find(({ urn }) => urn.endsWith("web"))?.outputs as Bag;
    expect(Object.keys(outputsOf(found))).toEqual([at(12), at(13)]);
    expect(changed()).toEqual([["update", "web"]]);
    expect(await up(program)).toEqual(["ipvsadm -R"]);
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 1), line(14, 4)]);
    expect(records(fake).sort()).toEqual([record(11, 1, "p/s/s1"), other]);
    await one.refresh();
    expect(changed()).toEqual([]);
  });

  test("are all kept, although a refresh found the pool changed before it became resources", async () => {
    const { fake, one, up } = stack();
    await up(pooled());
    fake.write("ipvs", `${[entry, line(11, 9), line(12, 2)].join("\n")}\n`);
    await one.refresh();
    expect(await up(separate())).toEqual([`ipvsadm -e -t 192.168.0.5:80 -r ${at(11)} -g -w 1`]);
    expect(records(fake).sort()).toEqual([record(11, 1, "p/s/s1"), record(12, 2, "p/s/s2")]);
  });

  test("leave nothing behind, although a run ended in the middle and the former program runs again", async () => {
    const { fake, one, up } = stack();
    const untouched = fake.snapshot();
    await up(separate());
    const before = one.entries;
    await up(pooled());
    // The state still has the resources, as if the run had ended before their deletion.
    one.entries = [...one.entries, ...before.filter(({ urn }) => !urn.endsWith("web"))];
    await up(separate());
    await up(goals({ web: ["VirtualService", web()], s2: own(12, 2) }));
    expect(fake.lines("ipvs")).toEqual([entry, line(12, 2)]);
    await up([]);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("are refused if both declare one server", async () => {
    const fake = fakeHost();
    const program = new Program();
    const [one, other] = [virtualService, realServer].map((definition) =>
      verbsOf(new Engine(definition, () => fake.host, undefined, program), new Map()),
    ) as [ReturnType<typeof verbsOf>, ReturnType<typeof verbsOf>];
    const bags = separate().map(({ inputs }) => inputs);
    const twice = (by: string) =>
      `director1/${service}/${at(11)} is declared twice: by p/s/${by}; take one of them out of the program`;
    const { inputs } = one.check({}, pooled()[0]?.inputs as Bag);
    expect(other.check({}, bags[1] as Bag).failures.map(({ reason }) => reason)).toEqual([
      twice("web and by p/s/s1"),
    ]);
    // Before any check the program itself tells.
    const run = {};
    declareOnce(run, realServer, "p/s/s1", bags[1] as Bag);
    expect(() => declareOnce(run, virtualService, "p/s/web", inputs)).toThrow(twice("s1 and by p/s/web"));
  });
});

describe("servers that others have made", () => {
  test("stay if a RealServer of another stack declares them, and are refused in the pool until adopt", async () => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web({ 11: 1 }));
    await resources(realServer, fake).create(
      { service, address: "192.168.10.20", port: 80, weight: 4 },
      "q/s/theirs",
    );
    const same = await kind.update(props, web({ 11: 2 }));
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 2), line(20, 4)]);
    expect((await kind.read(same)).props).toEqual(same);
    await expect(kind.update(same, web({ 11: 2, 20: 4 }))).rejects.toThrow(
      `cannot update ${service} on director1: ${at(20)}: it belongs to q/s/theirs, of another stack; remove it there`,
    );
    await kind.update(same, web({ 11: 2, 20: 5 }, { adopt: true }));
    expect(records(fake).sort()).toEqual([record(11, 2), record(20, 5)]);
  });

  test("are taken over as they are; others are refused until adopt, whether they differ or are too many", async () => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    fake.write("ipvs", `${[entry, line(11, 1), line(12, 2)].join("\n")}\n`);
    await expect(kind.create(web({ 11: 1, 12: 3 }))).rejects.toThrow(
      `cannot create ${service} on director1: ${at(12)}: it exists already, with other settings: weight is 2, wanted 3; set adopt: true`,
    );
    await expect(kind.create(web({ 11: 1 }))).rejects.toThrow(
      `cannot create ${service} on director1: the service has ${at(12)} already, which is not in realServers; write it there`,
    );
    expect(fake.changes()).toEqual([]);
    const { props } = await kind.create(web({ 11: 1, 12: 2 }));
    expect([fake.changes(), props.record]).toEqual([[], "adopted"]);
    await kind.delete(props);
    fake.write("ipvs", `${[entry, line(11, 1), line(12, 2)].join("\n")}\n`);
    await kind.create(web({ 11: 4 }, { adopt: true }));
    expect(fake.lines("ipvs")).toEqual([entry, line(11, 4)]);
  });
});
