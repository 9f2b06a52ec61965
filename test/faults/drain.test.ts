import { describe, expect, test } from "vitest";
import { realServer } from "../../providers/real-server/index.js";
import { virtualService } from "../../providers/virtual-service/index.js";
import { fakeHost, resources } from "../support/fake/engine.js";
import { FakeClock } from "../support/fake/fake-clock.js";
import type { FakeHost } from "../support/fake/fake-host.js";

const service = "tcp://192.168.0.5:80";
const entry = "-A -t 192.168.0.5:80 -s wlc";
const server = (n: number) => `-a -t 192.168.0.5:80 -r 192.168.10.${n}:80 -g -w`;
const one = { service, address: "192.168.10.1", port: 80, weight: 3, drain: { timeout: 60, minimum: 2 } };
const started = 1769860800;

/** A director with the service, and connections to its servers: persistent, active, inactive. */
function director(): FakeHost {
  const fake = fakeHost();
  fake.write("ipvs", `${entry}\n`);
  return fake;
}

const connections = (fake: FakeHost, ...counts: [persistent: number, active: number, inactive: number][]) =>
  fake.write(
    "connections",
    counts.map((count, i) => `192.168.0.5:80 192.168.10.${i + 1}:80 ${count.join(" ")}\n`).join(""),
  );

const killed = new Error("killed");

/** A run that dies at a second. */
const dying = (fake: FakeHost, at: number) =>
  new FakeClock(fake, (second) => {
    if (second === at) throw killed;
  });

describe("a server that is deleted", () => {
  test("is quiesced, stays until its connections have ended, and goes without a trace", async () => {
    const fake = director();
    const untouched = fake.snapshot();
    const seen: string[][] = [];
    const clock = new FakeClock(fake, (second) => {
      seen.push([...fake.lines("ipvs").slice(1), ...fake.lines("run/pulumi-lvs/draining")]);
      connections(fake, [0, Math.max(0, 5 - second), 7]);
    });
    const kind = resources(realServer, fake, clock);
    connections(fake, [0, 5, 7]);
    const { props } = await kind.create(one);
    await kind.delete(props);
    const draining = [`${server(1)} 0`, `${service}\t192.168.10.1:80\t${started}`];
    expect(seen).toEqual(Array(5).fill(draining));
    expect(clock.printed).toEqual([`director1: 192.168.10.1:80 of ${service} drained in 5 s`]);
    connections(fake);
    fake.write("date", `${started}\n`);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("is cut off at the deadline, and a message has the number of its connections", async () => {
    const fake = director();
    const clock = new FakeClock(fake);
    const kind = resources(realServer, fake, clock);
    connections(fake, [0, 1, 0]);
    const { props } = await kind.create({ ...one, drain: { timeout: 4, minimum: 1 } });
    await kind.delete(props);
    expect(clock.printed).toEqual([
      `director1: 192.168.10.1:80 of ${service} cut off with 1 connection after 4 s`,
    ]);
    expect(fake.lines("ipvs")).toEqual([entry]);
  });

  test("goes when the VIP moves away, and a message says that its connections were left and not cut off", async () => {
    const fake = director();
    const clock = new FakeClock(fake, (second) => {
      if (second === 3) fake.write("addresses", "lo 127.0.0.1/8 - - -\n");
    });
    const kind = resources(realServer, fake, clock);
    connections(fake, [0, 1, 0]);
    const { props } = await kind.create(one);
    await kind.delete(props);
    expect(clock.printed).toEqual([
      `director1: 192.168.10.1:80 of ${service} left with 1 connection after 3 s: the VIP is not there, or another resource has the server`,
    ]);
    expect(fake.lines("ipvs")).toEqual([entry]);
  });

  test("goes at once where it has no drain", async () => {
    const fake = director();
    const clock = new FakeClock(fake);
    const kind = resources(realServer, fake, clock);
    connections(fake, [0, 9, 0]);
    const { props } = await kind.create({ ...one, drain: null });
    await kind.delete(props);
    expect([clock.now(), clock.printed, fake.lines("ipvs")]).toEqual([0, [], [entry]]);
  });

  test("with others of its host drains beside them, in the same scripts, and lets other changes in between", async () => {
    const fake = director();
    const web = resources(virtualService, fake);
    const clock = new FakeClock(fake, async (second) => {
      if (second === 1) await web.create({ fwmark: 7 });
    });
    const kind = resources(realServer, fake, clock);
    const drain = { timeout: 60, minimum: 1 };
    const all = await Promise.all(
      [1, 2, 3].map((n) => kind.create({ ...one, address: `192.168.10.${n}`, drain }, `p/s/${n}`)),
    );
    const before = fake.runs;
    await Promise.all(all.map(({ props }) => kind.delete(props)));
    expect(fake.lines("ipvs")).toEqual([entry, "-A -f 7 -s wlc"]);
    // quiescing, the other change, looking, deleting
    expect(fake.runs - before).toBeLessThanOrEqual(6);
  });
});

describe("a run that dies while a server drains", () => {
  test("leaves it quiesced with a record of when that began, and the next one goes on from there", async () => {
    const fake = director();
    connections(fake, [0, 2, 0]);
    const { props } = await resources(realServer, fake).create(one);
    await expect(resources(realServer, fake, dying(fake, 20)).delete(props)).rejects.toThrow(killed);
    expect(fake.lines("ipvs")[1]).toBe(`${server(1)} 0`);
    await fake.newRun();
    const clock = new FakeClock(fake);
    await resources(realServer, fake, clock).delete(props);
    expect(clock.printed).toEqual([
      `director1: 192.168.10.1:80 of ${service} cut off with 2 connections after 60 s`,
    ]);
    expect(clock.now()).toBe(40_000);
  });

  test.each(["update", "create under another name"])(
    "does not keep it from being declared again: %s brings its weight back and takes the record out",
    async (how) => {
      const fake = director();
      const kind = resources(realServer, fake);
      const { props } = await kind.create(one);
      await expect(resources(realServer, fake, dying(fake, 1)).delete(props)).rejects.toThrow(killed);
      await fake.newRun();
      const found = await kind.read(props);
      expect(found.inputs).toMatchObject({ weight: 0 });
      if (how === "update") await kind.update(found.props as never, { ...one, weight: 4 });
      else await kind.create({ ...one, weight: 4 }, "p/s/renamed");
      expect(fake.lines("ipvs")[1]).toBe(`${server(1)} 4`);
      expect(fake.has("run/pulumi-lvs/draining")).toBe(false);
    },
  );

  test("and goes on all the same leaves alone what was declared again meanwhile", async () => {
    const fake = director();
    const { props } = await resources(realServer, fake).create(one);
    const clock = new FakeClock(fake, async (second) => {
      if (second === 1) await resources(realServer, fake).update(props, one);
    });
    await expect(resources(realServer, fake, clock).delete(props)).rejects.toThrow(
      `cannot delete ${service}/192.168.10.1:80 on director1: its drain was cancelled, because it was declared again; run \`pulumi up\` again to delete it`,
    );
    expect(fake.lines("ipvs")[1]).toBe(`${server(1)} 3`);
  });
});

describe("an update to weight 0", () => {
  test("waits too, and shows how it went until there is a weight again", async () => {
    const fake = director();
    connections(fake, [0, 3, 0]);
    const clock = new FakeClock(fake, (second) => connections(fake, [0, second < 5 ? 3 : 2, 0]));
    const kind = resources(realServer, fake, clock);
    const drain = { timeout: 6, minimum: 1 };
    const { props } = await kind.create({ ...one, drain });
    const quiet = await kind.update(props, { ...one, weight: 0, drain });
    expect(quiet.drained).toEqual({ seconds: 6, forced: 2, clean: false });
    expect(clock.printed).toEqual([
      `director1: 192.168.10.1:80 of ${service} still has 2 connections after 6 s`,
    ]);
    const found = await kind.read(quiet);
    expect(found.props).toEqual(quiet);
    expect(found.inputs).not.toHaveProperty("drained");
    const back = await kind.update(quiet, { ...one, weight: 1, drain });
    expect(back.drained).toBeUndefined();
    expect(fake.has("run/pulumi-lvs/draining")).toBe(false);
  });
});

test("a service shows which servers went from behind it, for as long as anything of the package is there", async () => {
  const fake = director();
  const untouched = fake.snapshot();
  const kind = resources(virtualService, fake);
  const web = await kind.create({ address: "192.168.0.5", port: 80 });
  const server = await resources(realServer, fake).create(one);
  await resources(realServer, fake, new FakeClock(fake)).delete(server.props);
  const drained = [
    { server: "192.168.10.1:80", at: "2026-01-31T12:00:02.000Z", seconds: 2, forced: 0, clean: true },
  ];
  expect((await kind.read(web.props)).props).toMatchObject({ drained });
  expect(
    (await kind.update(web.props, { address: "192.168.0.5", port: 80, scheduler: "rr" })).drained,
  ).toEqual(drained);
  fake.write("date", `${started}\n`);
  await kind.delete(web.props);
  fake.write("ipvs", `${entry}\n`);
  expect(fake.snapshot()).toBe(untouched);
});
