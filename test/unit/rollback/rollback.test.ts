import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { parseCommandLine } from "../../../cli/program.js";
import { Engine } from "../../../providers/engine/engine.js";
import * as classes from "../../../providers/index.js";
import { databaseOf, filesOf } from "../../../rollback/backend-files.js";
import type { Deployment, Entry } from "../../../rollback/deployment.js";
import { UpdateEvents } from "../../../rollback/events.js";
import { since } from "../../../rollback/history.js";
import { deleteOrphans } from "../../../rollback/orphans.js";
import {
  differentResources,
  previousProgram,
  withoutProtection,
} from "../../../rollback/previous-program.js";
import { isOfLast } from "../../../rollback/roll-back.js";
import { addressOf } from "../../../rollback/saved-state.js";
import { inClear } from "../../../rollback/secrets.js";
import { unrestorable } from "../../../rollback/unrestorable.js";
import { HostError } from "../../../src/errors.js";
import { RemoteShell } from "../../../src/host/remote-shell.js";
import type { ShellStream } from "../../../src/ssh/shell-stream.js";
import { isUncertain } from "../../../src/values/outcome.js";
import { FakeHost } from "../../support/fake/fake-host.js";

const cluster = "lvs:index:DrCluster";
const ours = (kind: string) => `pulumi-nodejs:dynamic/lvs:${kind}`;

/** An entry whose parents are named by their types, as in a URN. */
function entry(type: string, name: string, more: Partial<Entry> & { in?: string } = {}): Entry {
  const { in: inside = "", ...rest } = more;
  const custom = !/^(lvs|other):index/.test(type) && type !== "pulumi:pulumi:Stack";
  return {
    urn: `urn:pulumi:prod::shop::${inside ? `${inside}$` : ""}${type}::${name}`,
    type,
    custom,
    ...rest,
  };
}

const server = (name: string, weight = 1, more: Partial<Entry> & { in?: string } = {}): Entry =>
  entry(ours("RealServer"), name, { id: `director1/tcp://10.0.0.1:80/${name}`, inputs: { weight }, ...more });

const stack = entry("pulumi:pulumi:Stack", "shop-prod", { outputs: { shown: 1 } });
const of = (...resources: Entry[]): Deployment => ({ resources: [stack, ...resources] });
const names = (deployment: { resources: readonly { entry: Entry }[] }) =>
  deployment.resources.map(({ entry: { urn } }) => urn.split("::").at(-1));
const short = (urns: readonly string[]) => urns.map((urn) => urn.split("::").at(-1));

describe("what is declared again", () => {
  test("is ours of before, in the order of state; targets are these and what has come since", () => {
    const vm = entry("aws:ec2:Instance", "vm");
    const before = of(vm, server("a"), server("b"));
    const declared = previousProgram(
      before,
      of(vm, entry("aws:ec2:Instance", "vm2"), server("b", 2), server("c")),
    );
    expect(names(declared)).toEqual(["a", "b"]);
    expect(short(declared.targets)).toEqual(["a", "b", "c"]);
    expect(declared.outputs).toEqual({ shown: 1 });
  });

  test("is nothing before a first update, whose resources all go", () => {
    const declared = previousProgram({}, of(server("a"), entry(cluster, "web")));
    expect(declared.resources).toEqual([]);
    expect(short(declared.targets)).toEqual(["a", "web"]);
    expect(declared.outputs).toEqual({});
  });

  test("has another package's component where ours are parts of it, which is touched only if it has gone", () => {
    const site = entry("other:index:Site", "site");
    const part = server("a", 1, { in: "other:index:Site", parent: site.urn });
    const present = previousProgram(of(site, part), of(site, part));
    expect([names(present), short(present.targets)]).toEqual([["site", "a"], ["a"]]);
    const gone = previousProgram(of(site, part), of());
    expect([names(gone), short(gone.targets)]).toEqual([
      ["site", "a"],
      ["site", "a"],
    ]);
  });

  test("has the plugin of another package's resource that ours are parts of", () => {
    const provider = entry("pulumi:providers:aws", "default_6_1_0", { inputs: { version: "6.1.0" } });
    const vm = entry("aws:ec2:Instance", "vm", { provider: `${provider.urn}::id` });
    const part = server("a", 1, { in: "aws:ec2:Instance", parent: vm.urn });
    const [first] = previousProgram(of(provider, vm, part), of(provider, vm, part)).resources;
    expect([first?.entry.urn, first?.plugin]).toEqual([vm.urn, { version: "6.1.0" }]);
  });

  test("depends on what is declared or still there, and on nothing else", () => {
    const [vm, lost] = [entry("aws:ec2:Instance", "vm"), entry("aws:ec2:Instance", "lost")];
    const service = entry(ours("VirtualService"), "web");
    const needy = server("a", 1, {
      dependencies: [vm.urn, lost.urn, service.urn],
      propertyDependencies: { service: [service.urn, lost.urn], weight: null },
      deletedWith: lost.urn,
    });
    const [, again] = previousProgram(of(vm, lost, service, needy), of(vm)).resources;
    expect(again?.entry.dependencies).toEqual([vm.urn, service.urn]);
    expect(again?.entry.propertyDependencies).toEqual({ service: [service.urn], weight: [] });
    expect(again?.entry).not.toHaveProperty("deletedWith");
    const [, older] = previousProgram(of(vm, lost, service, needy), of(vm), false).resources;
    expect(older?.entry.dependencies).toEqual([service.urn]);
  });

  test("is renamed back where the same thing has another name now", () => {
    const renamed = { ...server("z"), id: server("a").id as string };
    expect(previousProgram(of(server("a")), of(renamed)).resources[0]?.aliases).toEqual([renamed.urn]);
    // marks on the host are changed by making and deleting
    const setting = (name: string) =>
      entry(ours("Sysctl"), name, { id: "director1/net.ipv4.ip_forward", outputs: { owner: name } });
    expect(previousProgram(of(setting("a")), of(setting("z"))).resources[0]?.aliases).toEqual([]);
    const address = (name: string) =>
      entry(ours("VirtualAddress"), name, { id: "h/eth0/10.0.0.1", outputs: { owner: name, shared: true } });
    expect(previousProgram(of(address("a")), of(address("z"))).resources[0]?.aliases).toEqual([]);
    // Probes of several clusters on a host have the same id.
    const probe = (name: string, needs: Entry[] = []) =>
      entry(ours("HostProbe"), name, { id: "h/probe", dependencies: needs.map(({ urn }) => urn) });
    expect(previousProgram(of(probe("a")), of(probe("z"))).resources[0]?.aliases).toEqual([]);
    const needing = entry("aws:ec2:Instance", "vm", { dependencies: [probe("z").urn] });
    expect([...unrestorable(of(probe("a")), of(probe("a"), probe("z"), needing)).keys()]).toEqual([
      probe("z").urn,
    ]);
    // Another resource that shares the thing is no new name of the first.
    const user = entry("aws:ec2:Instance", "vm", { dependencies: [address("z").urn] });
    const held = unrestorable(of(address("a")), of(address("a"), address("z"), user));
    expect([...held.keys()]).toEqual([address("z").urn]);
  });

  test("leaves what another package's needs by now, and makes nothing of another package's to put ours in", () => {
    const [vip, web] = [server("vip"), server("web", 1, { dependencies: [server("vip").urn] })];
    const record = entry("aws:route53/record:Record", "dns", { propertyDependencies: { name: [web.urn] } });
    const now = of(vip, web, server("alone"), record);
    expect(short(previousProgram(of(), now).targets)).toEqual(["alone"]);
    expect(unrestorable(of(), now).get(vip.urn)).toBe(
      `Record dns needs it, and is not a resource of this package; to take both away: pulumi destroy --target '${vip.urn}' --target-dependents`,
    );

    const vm = entry("aws:ec2:Instance", "vm");
    const part = server("a", 1, { in: "aws:ec2:Instance", parent: vm.urn });
    const gone = previousProgram(of(vm, part, server("b")), of(server("b")));
    expect([names(gone), short(gone.targets)]).toEqual([["b"], ["b"]]);
    expect([...unrestorable(of(vm, part), of()).keys()]).toEqual([part.urn]);
  });

  test("leaves out what is only read and still there, and what waits for its deletion", () => {
    const [read, waits] = [server("read", 1, { external: true }), server("waits", 1, { delete: true })];
    expect(names(previousProgram(of(read, waits, server("a")), of(read)))).toEqual(["a"]);
    expect(names(previousProgram(of(read), of()))).toEqual(["read"]);
  });
});

test("protection and retention are taken off first where they stand in the way, and only there", () => {
  const before = of(server("same", 1, { protect: true }), server("changed"));
  const now = of(
    server("same", 1, { protect: true }),
    server("changed", 2, { retainOnDelete: true }),
    server("new", 1, { protect: true }),
  );
  const loose = withoutProtection(before, now);
  expect(short(loose?.targets ?? [])).toEqual(["changed", "new"]);
  expect(
    loose?.resources.map(({ entry: { inputs, protect, retainOnDelete } }) => [
      inputs?.weight,
      protect,
      retainOnDelete,
    ]),
  ).toEqual([
    [1, true, undefined],
    [2, false, false],
    [1, false, false],
  ]);
  expect(withoutProtection(before, before)).toBeUndefined();
});

test("what is not as before is named: changed, missing, half made, new, and waiting for its deletion", () => {
  const before = of(
    server("same"),
    server("changed"),
    server("missing"),
    server("half"),
    entry("aws:ec2:Instance", "vm"),
  );
  const now = of(
    server("same"),
    server("changed", 2),
    server("half", 1, { initErrors: ["stuck"] }),
    server("new"),
    { ...server("same"), delete: true },
  );
  expect(short(differentResources(before, now).map(({ urn }) => urn))).toEqual([
    "changed",
    "missing",
    "half",
    "new",
    "same",
  ]);
  expect(differentResources(before, before)).toEqual([]);
});

test("secrets of an export are read, and what is masked is nothing", () => {
  const sign = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
  const password = { ...sign, plaintext: '"hush"' };
  expect(inClear({ host: "a", password, list: [password] })).toEqual({
    host: "a",
    password: "hush",
    list: ["hush"],
  });
  expect(inClear({ ...sign, ciphertext: "[secret]" })).toBeUndefined();
});

describe("the copy", () => {
  const operation = (startTime: string, more = {}) => ({
    kind: "update",
    startTime,
    result: "succeeded",
    ...more,
  });
  const [first, second] = [operation("1"), operation("2")];
  const id = (time: string) => `update undefined ${time}`;

  test("is of the last update if that has its name, whatever was refreshed or rolled back since", () => {
    const copy = { update: id("2"), previous: id("1") };
    const later = [
      operation("4", { kind: "refresh" }),
      operation("3", { environment: { "pulumi.env.PULUMI_LVS_ROLLBACK": "set" } }),
    ];
    expect(isOfLast(copy, [...later, second, first])).toBe(true);
    expect(isOfLast(copy, [operation("5"), second, first])).toBe(false);
    expect(isOfLast(copy, [operation("5", { kind: "destroy" }), second, first])).toBe(false);
    // the message of an update may have any words
    const message = "pulumi-lvs rollback: the update failed";
    expect(isOfLast(copy, [operation("5", { message, environment: {} }), second, first])).toBe(false);
  });

  test("of an update that was killed is of the last one until another went through", () => {
    const copy = { previous: id("1") };
    expect(isOfLast(copy, [first])).toBe(true);
    expect(isOfLast(copy, [operation("2", { result: "in-progress" }), first])).toBe(true);
    expect(isOfLast(copy, [second, first])).toBe(false);
    // the history has another stack's operations
    expect(isOfLast(copy, [operation("8"), operation("7")])).toBe(false);
  });

  test("knows what came after an operation", () => {
    expect(since([second, operation("3", { kind: "refresh" }), first], id("1"))).toEqual([second]);
    expect(since([first], "none")).toEqual([first]);
  });

  test("is distinguished from those of other checkouts, and names no password", () => {
    expect(addressOf("file://./state", "/a/shop")).toBe("file:///a/shop/state");
    expect(addressOf("file:///var/state", "/a/shop")).toBe("file:///var/state");
    expect(addressOf("postgres://me:hush@db/state", "/a")).toBe("postgres://db/state");
    expect(addressOf("postgres:///state?password=hush&host=db", "/a")).toBe("postgres:///state?host=db");
    expect(addressOf("postgres:///state?host=db&password=hush", "/a")).toBe("postgres:///state?host=db");
    expect(addressOf("postgres://db/state?password=hush", "/a")).toBe("postgres://db/state");
    expect(addressOf("https://app.pulumi.com/me", "/a")).toBe("https://app.pulumi.com/me");
  });

  test.each([
    ["postgres://me:hu@sh@db/state", "postgres://db/state"],
    ["postgres://me@corp:hu@s:h@db:5433/state?x=a@b", "postgres://db:5433/state?x=a@b"],
    ["postgres://me:hush@?host=db&user=a@b", "postgres://?host=db&user=a@b"],
    ["s3://ours/a@b", "s3://ours/a@b"],
  ])("is shown without a password that has an @: %s", (url, shown) => {
    expect(addressOf(url, "/a")).toBe(shown);
  });
});

describe("a database is reached by psql", () => {
  test("as the CLI reaches it, with no part of the URL in an argument", () => {
    expect(databaseOf("postgres://me:hu%40sh@db:5433/state")).toEqual({
      table: "pulumi_state",
      prefix: "state/",
      env: {
        PGSSLMODE: "require",
        PGUSER: "me",
        PGPASSWORD: "hu@sh",
        PGHOST: "db",
        PGPORT: "5433",
        PGDATABASE: "state",
      },
    });
    expect(databaseOf("postgres://me@/state?host=/run/postgresql&sslmode=disable&table=lvs.one")).toEqual({
      table: "lvs.one",
      prefix: "state/",
      env: { PGSSLMODE: "disable", PGUSER: "me", PGHOST: "/run/postgresql", PGDATABASE: "state" },
    });
    for (const [user, password] of [
      ["me", "hu@sh"],
      ["me@corp", "h:u@s@h"],
    ])
      expect(databaseOf(`postgres://${user}:${password}@db:5433/state`).env).toMatchObject({
        PGUSER: user,
        PGPASSWORD: password,
        PGHOST: "db",
        PGPORT: "5433",
      });
    expect(databaseOf("postgres://[::1]:5432/state").env).toMatchObject({ PGHOST: "::1", PGPORT: "5432" });
  });

  test("with the PGSSLMODE of the user, unless the URL has one", () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv("PGSSLMODE", "verify-full");
    expect(databaseOf("postgres://db/state").env).toEqual({ PGHOST: "db", PGDATABASE: "state" });
    expect(databaseOf("postgres://db/state?sslmode=disable").env).toMatchObject({ PGSSLMODE: "disable" });
  });

  test("and what psql says is shown in one line, without what a terminal obeys", async () => {
    const place = mkdtempSync(join(tmpdir(), "lvs-psql-"));
    onTestFinished(() => {
      vi.unstubAllEnvs();
      rmSync(place, { recursive: true });
    });
    writeFileSync(join(place, "psql"), "#!/bin/sh\nprintf 'no\\n\\033[31m route\\n' >&2\nexit 2\n", {
      mode: 0o755,
    });
    vi.stubEnv("PATH", `${place}:${process.env.PATH}`);
    await expect(filesOf("postgres://db/state")?.names("history")).rejects.toThrow(
      "cannot read the backend's history: psql: no \\u001b[31m route",
    );
  });

  test("a table that is no name is refused, because it is a part of a query", () => {
    expect(() => databaseOf("postgres://db/state?table=a;drop")).toThrow(
      "cannot read the backend's history: `a;drop` is not a name of a table",
    );
  });
});

describe("the engine's events tell", () => {
  const metadata = (op: string, name: string, type = ours("RealServer")) =>
    ({ op, urn: entry(type, name).urn, type }) as never;
  const heard = (...events: object[]): UpdateEvents => {
    const watch = new UpdateEvents();
    for (const event of events) watch.add({ sequence: 0, timestamp: 0, ...event } as never);
    return watch;
  };

  test("what of ours was made, and nothing of previews and of others", () => {
    const watch = heard(
      { resourcePreEvent: { metadata: metadata("update", "a"), planning: true } },
      { resourcePreEvent: { metadata: metadata("create", "vm", "aws:ec2:Instance") } },
      { resourcePreEvent: { metadata: metadata("same", "b") } },
      { resOutputsEvent: { metadata: metadata("same", "b") } },
    );
    expect([watch.begun, watch.changes, watch.failures]).toEqual([false, [], []]);
    watch.add({ sequence: 0, timestamp: 0, resourcePreEvent: { metadata: metadata("update", "a") } });
    expect(watch.begun).toBe(true);
    watch.add({ sequence: 0, timestamp: 0, resOutputsEvent: { metadata: metadata("update", "a") } });
    expect(watch.changes).toEqual([{ urn: server("a").urn, op: "update" }]);
    expect(watch.failures).toEqual([]);
  });

  test("a replacement as one operation, also when a part of it fails", () => {
    const done = (op: string) => ({ resOutputsEvent: { metadata: metadata(op, "a") } });
    const whole = heard(done("create-replacement"), done("delete-replaced"));
    expect(whole.changes).toEqual([{ urn: server("a").urn, op: "replace" }]);
    const failed = heard(
      { resourcePreEvent: { metadata: metadata("delete-replaced", "a") } },
      { resOpFailedEvent: { metadata: metadata("delete-replaced", "a") } },
      { resourcePreEvent: { metadata: metadata("create-replacement", "a") } },
    );
    // The second part has no result, so the host may have it.
    expect(failed.failures).toEqual([{ urn: server("a").urn, op: "replace", message: "", uncertain: true }]);
  });

  test("what failed and why, and of what nothing was heard", () => {
    const watch = heard(
      { resourcePreEvent: { metadata: metadata("update", "a") } },
      { resourcePreEvent: { metadata: metadata("create", "b") } },
      {
        diagnosticEvent: {
          urn: server("a").urn,
          severity: "error",
          message: "<{%fg 1%}>cannot update<{%reset%}> a\n",
        },
      },
      { resOpFailedEvent: { metadata: metadata("update", "a") } },
    );
    expect(watch.failures).toEqual([
      {
        urn: server("a").urn,
        op: "update",
        message: "cannot update a",
        uncertain: false,
      },
      { urn: server("b").urn, op: "create", message: "", uncertain: true },
    ]);
  });

  test("by the status of a failure whether the provider has answered: a process that died has not", () => {
    const failedWith = (status: number) =>
      heard(
        { resourcePreEvent: { metadata: metadata("update", "a") } },
        { resOpFailedEvent: { metadata: metadata("update", "a"), status } },
      ).failures[0]?.uncertain;
    expect([0, 1, 2].map(failedWith)).toEqual([true, false, false]);
  });

  test("by the token of its message whether the provider has answered a creation, and else keep the inputs", () => {
    const inputs = { connection: { host: "director1" }, weight: 1 };
    const failedWith = (message: string, given: object = inputs) =>
      heard(
        { resourcePreEvent: { metadata: metadata("create", "a") } },
        { diagnosticEvent: { urn: server("a").urn, severity: "error", message } },
        {
          resOpFailedEvent: {
            metadata: { ...(metadata("create", "a") as object), new: { inputs: given } },
            status: 0,
          },
        },
      ).failures[0];
    const refused = new HostError("director1", "it is full").of("cannot create web/a");
    const answer = `${refused} [lvs-known]`;
    expect(failedWith(answer)).toMatchObject({ uncertain: false });
    expect(failedWith(answer)).not.toHaveProperty("inputs");
    // the host, or all of the connection, may be a secret
    const masked = {
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      ciphertext: "[secret]",
    };
    for (const connection of [masked, { host: masked }]) {
      expect(failedWith(answer, { connection })).toMatchObject({ uncertain: false });
      expect(failedWith("error reading from server: EOF", { connection })).toMatchObject({ uncertain: true });
    }
    for (const message of ["error reading from server: EOF", refused])
      expect(failedWith(message)).toMatchObject({ uncertain: true, inputs });
  });

  test("and what it cannot look for on a host, because its inputs are masked, is named", async () => {
    const masked = {
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      ciphertext: "[secret]",
    };
    const { urn } = server("a");
    const orphan = (inputs: Record<string, unknown>) => deleteOrphans([{ urn, inputs }], [], () => undefined);
    const why = "it is not known whether it was created, and its inputs are secret; look at the host";
    for (const [host, inputs] of [
      [undefined, { connection: masked }],
      ["director1", { connection: { host: "director1" }, weight: masked }],
    ] as const)
      expect(await orphan(inputs)).toEqual([{ resource: "RealServer a", urn, host, why }]);
  });

  test("by the words of a lost connection that the outcome is unknown", async () => {
    const listeners: (() => void)[] = [];
    const lost: ShellStream = {
      write: () => setImmediate(() => listeners[0]?.()),
      onOutput: () => undefined,
      onErrors: () => undefined,
      onClose: (listener) => void listeners.push(listener),
      close: () => undefined,
    };
    const message = await RemoteShell.open("director1", lost).catch((error: Error) => error.message);
    const watch = heard(
      { resourcePreEvent: { metadata: metadata("update", "a") } },
      { diagnosticEvent: { urn: server("a").urn, severity: "error", message } },
      { resOpFailedEvent: { metadata: metadata("update", "a") } },
    );
    expect(watch.failures[0]).toMatchObject({ uncertain: true, message });
  });

  test("the same of what a host could not undo, as of a deletion that state says nothing of", async () => {
    const fake = new FakeHost();
    const engine = new Engine(classes.VirtualService.definition, () => fake.host);
    const props = {
      connection: { host: "director1" },
      address: "10.0.0.1",
      port: 80,
      scheduler: "rr",
      owner: "a/b/c",
    };
    const { inputs } = engine.check({}, props);
    await engine.create(inputs);
    fake.failCommand("step", 1);
    fake.failCommand("undo", 0);
    const { message } = await engine.delete("x", inputs).then(
      () => new Error("deleted"),
      (error: Error) => error,
    );
    await fake.dispose();
    expect(message).toMatch(/this could not be undone.* \[lvs-unknown\]$/);
    expect(isUncertain(message)).toBe(true);
  });
});

describe("the command line", () => {
  test("takes its own flag out, and hands the others on as they are", () => {
    const rest = [
      "-s",
      "prod",
      "--diff",
      "-m",
      "--verify is no flag here",
      "-C",
      "../shop",
      "--config-file=x.yaml",
      "--target",
      "urn:a",
    ];
    expect(parseCommandLine(["up", ...rest, "--verify", "curl -f http://10.0.0.1/"])).toEqual({
      command: "up",
      stack: "prod",
      cwd: "../shop",
      configFile: "x.yaml",
      verify: "curl -f http://10.0.0.1/",
      rest,
    });
    expect(parseCommandLine(["up", "--verify=true", "--yes"])).toMatchObject({
      verify: "true",
      rest: ["--yes"],
    });
  });

  test("with an unknown word is an error that names its help", () => {
    expect(parseCommandLine(["down"])).toMatchObject({
      command: "wrong",
      why: "unknown command 'down'; see pulumi-lvs --help",
    });
    expect(parseCommandLine(["up", "--verify"])).toMatchObject({ command: "wrong" });
    expect(parseCommandLine(["rollback", "--target", "x"])).toMatchObject({
      command: "wrong",
      why: "unknown option '--target'; see pulumi-lvs rollback --help",
    });
    expect(parseCommandLine(["rollback", "now"])).toMatchObject({ command: "wrong" });
    expect(parseCommandLine(["rollback", "-s", "prod"])).toMatchObject({
      command: "rollback",
      stack: "prod",
    });
    for (const words of [[], ["--help"], ["up", "-h"], ["rollback", "--help"]])
      expect(parseCommandLine(words)).toMatchObject({
        command: "help",
        text: expect.stringMatching(/^Usage: pulumi-lvs /),
      });
  });

  test("helps, and ends with 2 for a word that it does not know, without a stack trace", () => {
    const cli = join(__dirname, "../../../dist/cli/main.js");
    expect(execFileSync(process.execPath, [cli], { encoding: "utf8" })).toMatch(
      /^Usage: pulumi-lvs COMMAND /,
    );
    const { status, stderr } = spawnSync(process.execPath, [cli, "down"], { encoding: "utf8" });
    expect([status, stderr]).toEqual([2, "pulumi-lvs: unknown command 'down'; see pulumi-lvs --help\n"]);
  });

  test("says in one line how to get the Pulumi CLI where there is none", () => {
    const cli = join(__dirname, "../../../dist/cli/main.js");
    for (const command of ["up", "rollback"]) {
      const { status, stderr } = spawnSync(process.execPath, [cli, command], {
        encoding: "utf8",
        cwd: join(__dirname, "../../.."),
        env: { ...process.env, PATH: "/nowhere" },
      });
      expect([status, stderr]).toEqual([
        127,
        expect.stringMatching(
          /^pulumi-lvs: cannot run Pulumi: its CLI is not on PATH; install it \(.*get\.pulumi\.com.*\), then run again\n$/,
        ),
      ]);
    }
  });
});
