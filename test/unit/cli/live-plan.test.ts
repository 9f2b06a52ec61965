import { readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { livePlanOf, type PlannedChange } from "../../../cli/plan/plan.js";
import { differencesOf, savedPlan, savePlan } from "../../../cli/plan/saved.js";
import { asText } from "../../../cli/plan/text.js";
import { declared, type Goal } from "../../faults/harness/program.js";
import { makeAll } from "../../support/fake/cluster-program.js";
import { fakeHost } from "../../support/fake/engine.js";
import type { FakeHost } from "../../support/fake/fake-host.js";
import { FakeStack } from "../../support/fake/preview.js";

const server = (last: number, more: object = {}) => ({
  ...{ name: `rs${last}`, address: `192.168.10.${last}` },
  ...more,
});

const clusters = (more: object = {}) => ({
  web: {
    kind: "dr",
    director: { connection: { host: "director" }, interface: "eth0" },
    vips: ["192.168.10.210"],
    services: [{ port: 80 }],
    realServers: [server(11), server(12), server(13)],
    ...more,
  },
});

const program = (given: object): Promise<Goal[]> =>
  declared(() => void makeAll(given as Parameters<typeof makeAll>[0]));

/** A director, and a stack on it. */
function director() {
  const fake = fakeHost({ label: "director" }).withModules();
  const stack = new FakeStack(new Map([["director", fake]]));
  return {
    fake,
    /** Plans a program on the host as it is. */
    live: async (given: object) => {
      const steps = stack.preview(await program(given));
      const changes = await livePlanOf({ steps, before: stack.entries }, () => fake.host);
      return { steps, changes };
    },
    up: async (steps: Parameters<FakeStack["up"]>[0]) => (await stack.up(steps)).get("director") ?? [],
  };
}

const open = (fake: FakeHost, counts: readonly number[]): void =>
  fake.write(
    "connections",
    counts.map((count, i) => `192.168.10.210:80 192.168.10.${11 + i}:80 0 ${count} 0\n`).join(""),
  );

/** The first server gets another weight, which no stack declares. */
const editByHand = (fake: FakeHost): void =>
  fake.write(
    "ipvs",
    fake
      .lines("ipvs")
      .join("\n")
      .replace("192.168.10.11:80 -g -w 1", "192.168.10.11:80 -g -w 9")
      .concat("\n"),
  );

const effects = (changes: readonly PlannedChange[]): string[] =>
  changes.flatMap(({ resource, live }) =>
    live?.connections ? [`${resource.split("-").at(-1)}: ${live.connections.text}`] : [],
  );

test("it says what each change means for open connections, and changes nothing", async () => {
  const { fake, live, up } = director();
  await up((await live(clusters({ drain: { timeout: 60 } }))).steps);
  open(fake, [37, 12, 5]);
  const before = fake.lines("ipvs");
  const changed = clusters({ realServers: [server(11, { weight: 3 }), server(12, { weight: 0 })] });
  const { changes, steps } = await live(changed);
  expect(effects(changes)).toEqual([
    "rs11: edited in place, 0 affected",
    "rs12: quiesced: 12 continue, and no new ones come",
    "rs13: drains 5, at most 60 s",
  ]);
  expect(fake.lines("ipvs")).toEqual(before);
  open(fake, []);
  await up(steps);
  open(fake, [37, 12]);
  const others = { services: [{ port: 80 }], realServers: [server(11, { address: "192.168.10.21" })] };
  const replaced = await live(clusters(others));
  expect(effects(replaced.changes)).toEqual([
    "rs12: deleted: 12 are cut off",
    "rs11: replaced: 37 are cut off",
  ]);
  expect(asText(replaced.changes)).toMatch(
    /^director: \d+ lines; 49 open connections are reset or cut off\n/,
  );
  fake.write("proc/sys/net/ipv4/vs/expire_nodest_conn", "1\n");
  expect(effects((await live(clusters(others))).changes)).toContain("rs11: replaced: 37 are reset");
  expect(
    asText(
      (await live(clusters({ realServers: [server(11, { weight: 3 }), server(12, { weight: 0 })] }))).changes,
    ),
  ).toBe("no host changes");
});

test("it plans on what the host has: things that are there already, drift, and values that an undo restores", async () => {
  const { fake, live, up } = director();
  fake.write("proc/sys/net/ipv4/ip_forward", "1\n");
  await up((await live(clusters())).steps);
  // By hand, since the last update.
  editByHand(fake);
  const servers = [server(11, { weight: 3 }), server(12), server(13)];
  const { changes, steps } = await live(clusters({ realServers: servers, ipForwarding: true }));
  expect(changes.find(({ op }) => op === "update")).toMatchObject({
    live: { has: { weight: 9 }, drift: "weight is 9, wanted 1" },
    lines: expect.arrayContaining([expect.objectContaining({ undo: expect.stringMatching(/-w 9$/) })]),
  });
  // It is on already.
  const forwarding = changes.find(({ resource }) => /IpForwarding/.test(resource));
  expect(forwarding?.lines.filter(({ isRecord }) => !isRecord).map(({ text }) => text)).toEqual([]);
  const planned = changes
    .flatMap(({ lines }) => lines.map(({ text }) => text))
    .filter((text) => /^ipvsadm /.test(text));
  expect((await up(steps)).filter((line) => line.startsWith("ipvsadm"))).toEqual(planned);
});

test("a saved plan is its owner's alone, and names what differs from it", async () => {
  const { fake, live, up } = director();
  await up((await live(clusters())).steps);
  const wanted = clusters({ realServers: [server(11, { weight: 3 }), server(12)] });
  const folder = await mkdtemp(join(tmpdir(), "lvs-saved-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "plan.json");
  writeFileSync(file, "", { mode: 0o644 });
  savePlan(file, { stack: "prod", live: true, changes: (await live(wanted)).changes, pulumi: {} });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const saved = savedPlan(file, "prod")?.changes ?? [];
  expect(differencesOf(saved, (await live(wanted)).changes)).toEqual([]);

  const other = clusters({ realServers: [server(11, { weight: 4 })] });
  expect(differencesOf(saved, (await live(other)).changes)).toMatchInlineSnapshot(`
    [
      "director: update RealServer web-tcp-192.168.10.210-80-rs11: the line was "ipvsadm -e -t 192.168.10.210:80 -r 192.168.10.11:80 -g -w 3", is "ipvsadm -e -t 192.168.10.210:80 -r 192.168.10.11:80 -g -w 4"",
      "director: delete RealServer web-tcp-192.168.10.210-80-rs12: was not in the plan, is in the update with ipvsadm -d -t 192.168.10.210:80 -r 192.168.10.12:80; removing lines from /etc/pulumi-lvs/boot",
    ]
  `);
  editByHand(fake);
  expect(differencesOf(saved, (await live(wanted)).changes)).toMatchInlineSnapshot(`
    [
      "director: update RealServer web-tcp-192.168.10.210-80-rs11: weight was 1, is 9",
      "director: update RealServer web-tcp-192.168.10.210-80-rs11: the undo line was "ipvsadm -e -t 192.168.10.210:80 -r 192.168.10.11:80 -g -w 1", is "ipvsadm -e -t 192.168.10.210:80 -r 192.168.10.11:80 -g -w 9"",
    ]
  `);

  expect(() => savedPlan(file, "test")).toThrow(
    /it is of the stack prod, not of test; name its stack by --stack$/,
  );
  writeFileSync(file, '{"resourcePlans":{}}');
  expect(savedPlan(file, "prod")).toBeUndefined();
  writeFileSync(file, '{"format":"pulumi-lvs plan 0"}');
  expect(() => savedPlan(file, "prod")).toThrow(
    /it is not of this version of pulumi-lvs; write one with pulumi-lvs plan --save/,
  );
  expect(() => savedPlan(join(folder, "none"), "prod")).toThrow(/cannot read the plan: ENOENT/);
  expect(readFileSync(file, "utf8")).toContain("plan 0");
});

test("a pool says what becomes of the connections of servers that leave it or are quiesced", async () => {
  const { fake, live, up } = director();
  const pool = (servers: object[], more: object = {}) =>
    clusters({ pool: true, realServers: servers, ...more });
  await up((await live(pool([server(11), server(12), server(13)]))).steps);
  open(fake, [2, 3, 4]);
  expect(effects((await live(pool([server(11), server(12, { weight: 0 }), server(13)]))).changes)).toEqual([
    "80: quiesced: 3 continue, and no new ones come",
  ]);
  expect(effects((await live(pool([server(11, { weight: 5 }), server(12)]))).changes)).toEqual([
    expect.stringMatching(/^80: deleted: 4 are (reset|cut off)$/),
  ]);
});
