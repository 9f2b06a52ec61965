import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import freshBuild from "../fake/fresh-build.js";
import { clientKeyIn, SshHost } from "../fake/ssh-host.js";
import { descendants, end } from "../on-lab/processes.mjs";
import { type Answer, Stack, type StateResource } from "../on-lab/stack.mjs";

// The real Pulumi CLI and engine, real SSH to fake hosts that run the real scripts: nothing but the kernel is missing.

let place: string;
let key: ReturnType<typeof clientKeyIn>;

beforeAll(() => {
  freshBuild();
  place = mkdtempSync(join(tmpdir(), "lvs-rollback-"));
  key = clientKeyIn(place);
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

/** Three directors that go with the test. */
async function threeHosts(): Promise<[SshHost, SshHost, SshHost]> {
  const hosts = await Promise.all([1, 2, 3].map(() => SshHost.start(key.key)));
  onTestFinished(async () => {
    for (const host of hosts) await host.dispose();
  });
  return hosts as [SshHost, SshHost, SshHost];
}

const environment = () => ({
  PULUMI_HOME: mkdtempSync(join(place, "home-")),
  LVS_SSH_CONFIG: "/dev/null",
  SSH_AUTH_SOCK: "",
});

async function stackOf(program: string): Promise<Stack> {
  const stack = await Stack.ofProgram(program, environment());
  onTestFinished(() => stack.dispose());
  return stack;
}

interface Site {
  /** Weight of the real server behind each host's service; undefined is no real server. */
  weights: (number | undefined)[];
  /** What the neighbour is told, which belongs to somebody else. */
  neighbour?: string;
  /** Lines at the end. */
  more?: string;
}

/** A larger program: somebody else's component, in it a service on each host, and somebody else's resource that ours depend on. */
const site = (hosts: readonly SshHost[], { weights, neighbour = "stays", more = "" }: Site): string => `
const connections = ${JSON.stringify(hosts.map((host) => ({ ...host.connection(key.path), password: "planted-secret" })))};
const weights = ${JSON.stringify(weights)};
const calls = ${JSON.stringify(join(place, "calls-"))} + pulumi.getProject() + process.env.PULUMI_HOME.replaceAll("/", "-");
class Neighbour extends pulumi.dynamic.Resource {
  constructor(name, told) {
    super({
      async create(props) { require("node:fs").appendFileSync(props.calls, "create\\n"); return { id: "neighbour", outs: props }; },
      async update(_id, _olds, news) { require("node:fs").appendFileSync(news.calls, "update\\n"); return { outs: news }; },
      async delete(_id, props) { require("node:fs").appendFileSync(props.calls, "delete\\n"); },
    }, name, { told, calls });
  }
}
const neighbour = new Neighbour("neighbour", ${JSON.stringify(neighbour)});
const site = new pulumi.ComponentResource("somebody:index:Site", "site", {}, {});
weights.forEach((weight, i) => {
  const connection = connections[i];
  const service = new lvs.VirtualService("web" + i, { connection, address: "192.168.0.210", port: 80 }, { parent: site, dependsOn: neighbour });
  if (weight !== null) new lvs.RealServer("rs" + i, { connection, service: service.id, address: "192.168.10.11", port: 80, weight }, { parent: service });
});
exports.weights = weights;
exports.hidden = pulumi.secret("planted-secret");
${more}`;

const callsOf = (stack: Stack): string[] => {
  const file = `${join(place, "calls-")}test${stack.env.PULUMI_HOME?.replaceAll("/", "-")}`;
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
};

const quiet = ["--yes", "--skip-preview", "--non-interactive", "--color", "never"];
const up = (stack: Stack, ...args: string[]): Promise<Answer> => stack.pulumiLvs(["up", ...quiet, ...args]);

async function succeed(stack: Stack, ...args: string[]): Promise<void> {
  const { code, text } = await up(stack, ...args);
  expect(code, text).toBe(0);
}

const tables = (hosts: readonly SshHost[]): string[][] => hosts.map(({ fake }) => fake.lines("ipvs"));

type Entry = StateResource & {
  dependencies?: string[];
  propertyDependencies?: Record<string, string[]>;
} & Record<string, unknown>;

/** State with secrets in clear, without what only tells when and from where in a program, and in one order. */
async function stateOf(stack: Stack): Promise<Entry[]> {
  const { text } = await stack.pulumi("stack", "export", "--show-secrets");
  const { resources = [] } = (JSON.parse(text) as { deployment: { resources?: Entry[] } }).deployment;
  const told = ({ created, modified, stackTrace, sourcePosition, ...entry }: Entry): Entry => ({
    ...entry,
    dependencies: (entry.dependencies ?? []).toSorted(),
    propertyDependencies: Object.fromEntries(
      Object.entries(entry.propertyDependencies ?? {}).filter(([, urns]) => urns.length > 0),
    ),
  });
  return resources.map(told).sort((a, b) => (a.urn < b.urn ? -1 : 1));
}

async function previewIsEmpty(stack: Stack): Promise<void> {
  const { code, text } = await stack.pulumi("preview", "--diff", "--expect-no-changes");
  expect(code, text).toBe(0);
}

test("an update that breaks on the second of three hosts is taken back on all of them, and in state", async () => {
  const hosts = await threeHosts();
  const old = site(hosts, {
    weights: [1, 1, undefined],
    more: 'new lvs.RealServer("old", { connection: connections[0], service: "tcp://192.168.0.210:80", address: "192.168.10.19", port: 80 }, { dependsOn: site });',
  });
  const stack = await stackOf(old);
  await succeed(stack);
  const [before, state, calls] = [tables(hosts), await stateOf(stack), callsOf(stack)];
  expect(before[0]).toHaveLength(3);

  // one is changed, one fails, one is new, one goes
  await stack.program(site(hosts, { weights: [2, 3, 4] }));
  hosts[1].fake.failCommand("step", 0);
  const { code, text } = await up(stack);
  expect(code, text).toBe(10);
  expect(text).toMatch(
    /pulumi-lvs: the update failed; rolling back\npulumi-lvs: {3}RealServer rs1: cannot update .* on 127\.0\.0\.1:\d+: .*injected failure/,
  );
  expect(text).toMatch(/pulumi-lvs: {3}update RealServer rs0\n/);
  expect(text).toMatch(/pulumi-lvs: {3}delete RealServer rs2\n/);
  expect(text).toMatch(/rolled back: hosts and state are as they were before the update\n$/);
  expect(text).not.toContain("planted-secret");
  hosts[1].fake.mend();

  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
  expect(callsOf(stack)).toEqual(calls);
  await stack.program(old);
  await previewIsEmpty(stack);
});

test("an update after which the service does not answer is taken back, because its probe fails", async () => {
  const hosts = await threeHosts();
  const [director, , client] = hosts;
  const program = (weights: (number | undefined)[]) =>
    site(hosts, {
      weights,
      more: `new lvs.ServiceProbe("serves", {
        connection: connections[2], director: connections[0], url: "http://192.168.0.210/",
        requests: 4, within: 0, spread: { servers: 2 }, triggers: weights,
      }, { dependsOn: site });`,
    });
  client.fake.write("replies", "0 200 41000 rs1\n0 200 41001 rs2\n");
  client.fake.write("way", "192.168.0.210 dev eth0 src 192.168.0.100\n");
  director.fake.write("flows", "");
  const stack = await stackOf(program([1, 1, 1]));
  await succeed(stack);
  const [before, state] = [tables(hosts), await stateOf(stack)];

  await stack.program(program([0, 0, undefined]));
  client.fake.write("replies", "7 000 0 - Connection refused\n");
  const { code, text } = await up(stack);
  expect(code, text).toBe(10);
  expect(text).toMatch(
    /pulumi-lvs: the update failed; rolling back\npulumi-lvs: {3}ServiceProbe serves: probe\/http:\/\/192\.168\.0\.210\/ failed on 127\.0\.0\.1:\d+: .*the director has no real server for tcp:\/\/192\.168\.0\.210:80 that takes connections/,
  );
  expect(text).not.toContain("planted-secret");
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);

  // one that was asked and content is asked again when what came after it is taken back
  client.fake.write("replies", "0 200 41000 rs1\n0 200 41001 rs2\n");
  const again = await up(stack, "--verify=exit 3");
  expect(again.code, again.text).toBe(10);
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);

  // and says so, when the service does not answer then either
  const bad = `echo "7 000 0 - Connection refused" >${join(client.fake.root, "replies")}; exit 3`;
  const worse = await up(stack, `--verify=${bad}`);
  expect(worse.code, worse.text).toBe(11);
  expect(worse.text).toMatch(/ServiceProbe serves.*: .*requests failed/);
  expect(tables(hosts)).toEqual(before);
});

test("what the update took over was somebody else's before: it stays on its host, and is named", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(site(hosts, { weights: [1, 1, 1] }));
  await succeed(stack);
  hosts[0].fake.write("ipvs", `${hosts[0].fake.read("ipvs")}-A -f 7 -s wlc\n`);
  const more = 'new lvs.VirtualService("theirs", { connection: connections[0], fwmark: 7 });';
  await stack.program(site(hosts, { weights: [2, 1, 1], more }));
  const { code, text } = await up(stack, "--verify=exit 3");
  expect(code, text).toBe(11);
  expect(text).toMatch(
    /VirtualService theirs was there before the update took it over, and stays on its host/,
  );
  expect(hosts[0].fake.lines("ipvs").filter((line) => /-f 7|-w/.test(line))).toEqual([
    expect.stringContaining("-w 1"),
    "-A -f 7 -s wlc",
  ]);
});

test("an update that a verification finds wrong is taken back, and one that it finds right stays", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(site(hosts, { weights: [1, 1, 1] }));
  await succeed(stack, "--verify", "true");
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(site(hosts, { weights: [2, 2, undefined], neighbour: "changes" }));
  const { code, text } = await up(stack, "--verify=echo checked; exit 3");
  expect(code, text).toBe(10);
  expect(text).toMatch(/^checked$/m);
  expect(text).toContain(
    "pulumi-lvs: the verification failed: `echo checked; exit 3` ended with 3; rolling back\n",
  );
  expect(tables(hosts)).toEqual(before);
  // what is somebody else's stays as the update left it, and nobody called its provider again
  const neighbour = ({ urn }: Entry) => urn.endsWith("::neighbour");
  expect((await stateOf(stack)).filter((one) => !neighbour(one))).toEqual(
    state.filter((one) => !neighbour(one)),
  );
  expect((await stateOf(stack)).find(neighbour)?.inputs.told).toBe("changes");
  expect(callsOf(stack)).toEqual(["create", "update"]);
});

test("a host that is down while others go back is named, and rollback goes on when it is up again", async () => {
  const hosts = await threeHosts();
  const old = site(hosts, { weights: [1, 1, 1] });
  const stack = await stackOf(old);
  await succeed(stack);
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(site(hosts, { weights: [2, 2, 2] }));
  const [reached, go] = [join(place, "reached"), join(place, "go")];
  const updating = up(
    stack,
    "--verify",
    `touch ${reached}; while [ ! -e ${go} ]; do sleep 0.05; done; exit 1`,
  );
  await expect.poll(() => existsSync(reached), { timeout: 120_000 }).toBe(true);
  const label = hosts[1].label;
  await hosts[1].down();
  writeFileSync(go, "");
  const { code, text } = await updating;
  expect(code, text).toBe(11);
  expect(text).toMatch(
    new RegExp(`could not roll back:\npulumi-lvs: {3}RealServer rs1 on ${label}: .*cannot be reached at`),
  );
  expect(text).toMatch(/mend what is named there, then: npx pulumi-lvs rollback\n$/);
  expect(tables(hosts)).toEqual([before[0], tables(hosts)[1], before[2]]);
  expect(tables(hosts)[1]).not.toEqual(before[1]);

  await hosts[1].up();
  const again = await stack.pulumiLvs(["rollback"]);
  expect(again.code, again.text).toBe(0);
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
  await stack.program(old);
  await previewIsEmpty(stack);
});

test("a host that the update never reached does not keep others from going back", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(site(hosts, { weights: [1, 1, 1] }));
  await succeed(stack);
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(site(hosts, { weights: [2, 2, 2] }));
  await hosts[1].down();
  const { code, text } = await up(stack);
  expect(code, text).toBe(10);
  expect(text).toMatch(/RealServer rs1: cannot update .*cannot be reached at root@127\.0\.0\.1/);
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
});

test("a first update that fails leaves nothing of ours, and what is somebody else's", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(site(hosts, { weights: [1, 1, 1] }));
  hosts[1].fake.failCommand("step", 1);
  const { code, text } = await up(stack);
  expect(code, text).toBe(10);
  expect(tables(hosts)).toEqual([[], [], []]);
  const types = (await stateOf(stack)).map(({ type }) => type);
  expect(types.toSorted()).toEqual([
    "pulumi-nodejs:dynamic:Resource",
    "pulumi:providers:pulumi-nodejs",
    "pulumi:pulumi:Stack",
    "somebody:index:Site",
  ]);
  expect(callsOf(stack)).toEqual(["create"]);
});

test("a change whose answer was lost is looked at on its host, and taken back there too", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(site(hosts, { weights: [1, undefined, 1] }));
  await succeed(stack);
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(site(hosts, { weights: [5, 5, 1] }));
  hosts[0].loseAnswerTo("-w 5");
  hosts[1].loseAnswerTo("-w 5");
  const { code, text } = await up(stack);
  expect(code, text).toBe(10);
  // the second was not there before, and is deleted
  for (const name of ["rs0", "rs1"])
    expect(text).toMatch(
      new RegExp(
        `looking at 127\\.0\\.0\\.1:\\d+ again, because it is not known what came of RealServer ${name}\\n`,
      ),
    );
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
});

test("Ctrl-C ends the update in order, and then it is taken back", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(site(hosts, { weights: [1, 1, 1] }));
  await succeed(stack);
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(site(hosts, { weights: [2, 2, 2] }));
  const { reached, go } = hosts[1].fake.pauseStep(0);
  let pid = 0;
  const updating = stack.pulumiLvs(["up", ...quiet], (child) => {
    pid = child.pid as number;
  });
  await expect.poll(() => reached().then(() => true), { timeout: 120_000 }).toBe(true);
  process.kill(pid, "SIGINT");
  await expect.poll(() => hosts[0].fake.lines("ipvs").join(), { timeout: 20_000 }).toContain("-w 2");
  go();
  const { code, text } = await updating;
  hosts[1].fake.mend();
  expect(code, text).toBe(10);
  expect(text).toMatch(/SIGINT|cancel/i);
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
});

test("an update whose processes were killed is taken back by rollback, with what was on its way", async () => {
  const hosts = await threeHosts();
  const old = site(hosts, { weights: [1, undefined, 1] });
  const stack = await stackOf(old);
  await succeed(stack);
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(site(hosts, { weights: [2, 2, 1] }));
  const { reached, go } = hosts[1].fake.pauseStep(0);
  let pid = 0;
  const updating = stack.pulumiLvs(["up", ...quiet], (child) => {
    pid = child.pid as number;
  });
  await expect.poll(() => reached().then(() => true), { timeout: 120_000 }).toBe(true);
  await expect.poll(() => hosts[0].fake.lines("ipvs").join(), { timeout: 20_000 }).toContain("-w 2");
  const [pulumi = 0, ...others] = descendants(pid);
  // plugins whose engine was killed stay
  onTestFinished(() => others.forEach(end));
  for (const one of [pid, pulumi]) end(one);
  await updating;
  go();
  await expect.poll(() => hosts[1].fake.lines("ipvs").join(), { timeout: 20_000 }).toContain("-w 2");
  hosts[1].fake.mend();
  const locked = await stack.pulumiLvs(["rollback"]);
  expect(locked.code, locked.text).toBe(11);
  expect(locked.text).toMatch(/locked/);
  expect((await stack.pulumi("cancel", "--yes")).code).toBe(0);
  const { code, text } = await stack.pulumiLvs(["rollback"]);
  expect(code, text).toBe(0);
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
  expect((await stack.pulumi("stack", "export")).text).not.toContain("pending_operations");
});

test("rollback takes back what went through, by the copy, in which nothing secret is in clear", async () => {
  const hosts = await threeHosts();
  const old = site(hosts, { weights: [1, 1, undefined] });
  const stack = await stackOf(old);
  await succeed(stack);
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(site(hosts, { weights: [2, undefined, 3] }));
  await succeed(stack);
  const copies = globSync("pulumi-lvs/*", { cwd: stack.env.PULUMI_HOME as string });
  expect(copies).toHaveLength(1);
  const copy = join(stack.env.PULUMI_HOME as string, copies[0] as string);
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  expect(readFileSync(copy, "utf8")).toMatch(/ciphertext/);
  expect(readFileSync(copy, "utf8")).not.toContain("planted-secret");

  const { code, text } = await stack.pulumiLvs(["rollback"]);
  expect(code, text).toBe(0);
  expect(text).toMatch(/taking back the update of .*, by the copy that `pulumi-lvs up` saved\n/);
  expect(text).not.toContain("planted-secret");
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
  await stack.program(old);
  await previewIsEmpty(stack);

  const again = await stack.pulumiLvs(["rollback"]);
  expect(again).toEqual({
    code: 1,
    text: "pulumi-lvs: the last update was itself a rollback; update the stack to what it shall be by `pulumi up`\n",
  });
});

test("rollback takes back an update of pulumi up, by the backend's history", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(site(hosts, { weights: [1, 1, undefined] }));
  const none = await stack.pulumiLvs(["rollback"]);
  expect(none).toEqual({ code: 1, text: "pulumi-lvs: the stack has had no update yet\n" });
  await stack.up();
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(site(hosts, { weights: [2, undefined, 3] }));
  await stack.up();
  await stack.refresh("--skip-preview");
  const { code, text } = await stack.pulumiLvs(["rollback"]);
  expect(code, text).toBe(0);
  expect(text).toMatch(/by the backend's history\n/);
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
  expect((await stack.pulumiLvs(["rollback"])).text).toMatch(/was itself a rollback/);
});

test("what Pulumi refuses changes nothing and keeps its exit code", async () => {
  const [host] = await threeHosts();
  const stack = await stackOf(site([host], { weights: [1] }));
  await succeed(stack);
  const before = tables([host]);
  await stack.program(site([host], { weights: [2] }));
  const wrong = await up(stack, "--no-such-flag");
  expect(wrong.text).toMatch(
    /error: unknown flag: --no-such-flag\npulumi-lvs: nothing of this package was changed/,
  );
  const unconfirmed = await stack.pulumiLvs(["up", "--non-interactive"]);
  const plain = await stack.run("pulumi", ["up", "--non-interactive"]);
  expect(unconfirmed.code).toBe(plain.code);
  const elsewhere = await up(stack, "--stack", "nowhere");
  expect(elsewhere.code).toBe(6);
  expect(elsewhere.text).toBe("pulumi-lvs: no stack named 'nowhere' found\n");
  await stack.program("throw new pulumi.RunError('a mistake in the program');");
  const broken = await up(stack);
  expect(broken.code, broken.text).not.toBe(0);
  expect(broken.text).toMatch(/nothing of this package was changed, so there is nothing to take back\n$/);
  expect([wrong.code, unconfirmed.code, broken.code]).not.toContain(10);
  expect(tables([host])).toEqual(before);
});

test("what somebody else updated meanwhile is not taken back", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(site(hosts, { weights: [1, 1, 1] }));
  await succeed(stack);
  await stack.program(site(hosts, { weights: [2, 2, 2] }));
  const [reached, go] = [join(place, "theirs-reached"), join(place, "theirs-go")];
  const verify = `touch ${reached}; while [ ! -e ${go} ]; do sleep 0.05; done; exit 1`;
  const updating = up(stack, "--verify", verify);
  await expect.poll(() => existsSync(reached), { timeout: 120_000 }).toBe(true);
  const ours = tables(hosts);
  await stack.program(site(hosts, { weights: [6, 6, 6] }));
  await stack.up();
  const theirs = tables(hosts);
  writeFileSync(go, "");
  const { code, text } = await updating;
  expect(code, text).toBe(11);
  expect(text).toMatch(/ {3}stack program: somebody else has updated the stack meanwhile/);
  expect(tables(hosts)).toEqual(theirs);
  expect(theirs).not.toEqual(ours);
  // the last update is theirs, and the history tells what was before it
  const back = await stack.pulumiLvs(["rollback"]);
  expect(back.code, back.text).toBe(0);
  expect(tables(hosts)).toEqual(ours);
});

test("what somebody else's resource needs by now stays and is named, and goes when that has gone", async () => {
  const hosts = await threeHosts();
  const old = site(hosts, { weights: [1, 1, undefined] });
  const stack = await stackOf(old);
  await succeed(stack);
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(
    site(hosts, {
      weights: [2, 2, 3],
      more: `
const fresh = new lvs.VirtualService("fresh", { connection: connections[0], address: "192.168.0.211", port: 80 });
new Neighbour("record", fresh.id);`,
    }),
  );
  const { code, text } = await up(stack, "--verify", "exit 1");
  expect(code, text).toBe(11);
  expect(text).toMatch(
    /VirtualService fresh on .*: Resource record needs it, .*pulumi destroy --target '.*::fresh' --target-dependents\n/,
  );
  expect(text).toMatch(/delete RealServer rs2\n/);
  expect(tables(hosts).slice(1)).toEqual(before.slice(1));

  const [, target = ""] = /--target '(.*)'/.exec(text) ?? [];
  await stack.destroy("--target", target, "--target-dependents");
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
});

test("state tells where in the program a resource was made", async () => {
  const hosts = await threeHosts();
  const service =
    'new lvs.VirtualService("web", { connection: connections[0], address: "192.168.0.210", port: 80 });';
  const stack = await stackOf(site(hosts, { weights: [], more: service }));
  await succeed(stack);
  const made = (await stack.resources()).filter(({ type }) => type.includes(":dynamic/lvs:"));
  expect(made.map(({ sourcePosition }) => sourcePosition)).toEqual([
    expect.stringMatching(/^project:\/\/\/index\.js#/),
  ]);
});

test("names, protection and retention of the update do not stand in the way", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(site(hosts, { weights: [1, 1, undefined] }));
  await succeed(stack);
  const [before, state] = [tables(hosts), await stateOf(stack)];
  const server = (i: number, name: string, options: string) =>
    `new lvs.RealServer("${name}", { connection: connections[${i}], service: "tcp://192.168.0.210:80", address: "192.168.10.1${i}", port: 80, weight: 3, adopt: true }, { ${options} });`;
  const service = (i: number) =>
    `new lvs.VirtualService("web${i}", { connection: connections[${i}], address: "192.168.0.210", port: 80 }, { parent: site, dependsOn: neighbour });`;
  await stack.program(
    site(hosts, {
      weights: [],
      more: `
${service(0)} ${service(1)} ${service(2)}
new lvs.RealServer("renamed", { connection: connections[0], service: "tcp://192.168.0.210:80", address: "192.168.10.11", port: 80, weight: 7, adopt: true });
${server(1, "held", "protect: true, parent: site")}
${server(2, "kept", "protect: true, retainOnDelete: true, parent: site")}
`,
    }),
  );
  const { code, text } = await up(stack, "--verify", "exit 1");
  expect(code, text).toBe(10);
  expect(tables(hosts)).toEqual(before);
  // a resource keeps the owner that it was made with, so one that was renamed back has the other name's
  const unowned = (entries: Entry[]) =>
    entries.map(({ outputs: { owner, ...outputs } = {}, ...rest }) => ({ ...rest, outputs }));
  expect(unowned(await stateOf(stack))).toEqual(unowned(state));
});

test("state stays whole where many resources depend on somebody else's", async () => {
  const [host] = await threeHosts();
  const program = (more: string) => `
const connection = ${JSON.stringify(host.connection(key.path))};
class Neighbour extends pulumi.dynamic.Resource {
  constructor(name, opts) { super({ async create(outs) { return { id: "neighbour", outs }; } }, name, {}, opts); }
}
const first = new Neighbour("first"), second = new Neighbour("second", { dependsOn: first });
for (let i = 1; i <= 60; i++)
  new lvs.VirtualService("web" + i, { connection, address: "10.0.0." + i, port: 80 }, { dependsOn: [first, second][i % 2] });
${more}`;
  const stack = await stackOf(program(""));
  await succeed(stack, "--parallel", "64");
  const state = await stateOf(stack);
  await stack.program(
    program(
      'new lvs.VirtualService("held", { connection, address: "10.0.1.1", port: 80 }, { protect: true });',
    ),
  );
  // the engine may break it in one run and not in the next
  for (let i = 0; i < 3; i++) {
    const { code, text } = await up(stack, "--verify", "exit 1");
    expect(code, text).toBe(10);
  }
  expect(await stateOf(stack)).toEqual(state);
});

test("a cluster that is only configured goes back with all that it has on its hosts", async () => {
  const [director, web1, web2] = await threeHosts();
  const hosts = [director, web1, web2];
  const connection = (host: SshHost) => JSON.stringify(host.connection(key.path));
  const stack = await Stack.ofEnvironment("dr", {
    env: environment(),
    configuration: `config:
  lvs:clusters:
    web:
      kind: dr
      director: { connection: ${connection(director)}, interface: eth0 }
      vips: [192.168.0.210]
      services: [{ port: 80, scheduler: wlc }]
      realServers:
        - { name: web1, address: 192.168.10.11, connection: ${connection(web1)} }
        - { name: web2, address: 192.168.10.12, connection: ${connection(web2)} }
`,
  });
  onTestFinished(() => stack.dispose());
  await succeed(stack);
  const [before, state] = [hosts.map(({ fake }) => fake.snapshot()), await stateOf(stack)];
  await stack.edit("vips: [192.168.0.210]", "vips: [192.168.0.210, 192.168.0.211]");
  await stack.edit("scheduler: wlc", "scheduler: wrr");
  web2.fake.failCommand("step", 1);
  const { code, text } = await up(stack);
  web2.fake.mend();
  expect(code, text).toBe(10);
  expect(hosts.map(({ fake }) => fake.snapshot())).toEqual(before);
  // with the provider Pulumi keeps the configuration of its last run, whatever that was
  const without = (entries: Entry[]) => entries.filter(({ type }) => !type.startsWith("pulumi:providers:"));
  expect(without(await stateOf(stack))).toEqual(without(state));
  await stack.edit("vips: [192.168.0.210, 192.168.0.211]", "vips: [192.168.0.210]");
  await stack.edit("scheduler: wrr", "scheduler: wlc");
  await previewIsEmpty(stack);
});

test("programs of the Automation API have the same", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(site(hosts, { weights: [1, 1, undefined] }));
  await succeed(stack);
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(site(hosts, { weights: [2, undefined, 3] }));
  writeFileSync(
    join(stack.folder, "deploy.js"),
    `const { automation } = require("@pulumi/pulumi");
    const lvs = require("pulumi-lvs");
    (async () => {
      const stack = await automation.LocalWorkspace.selectStack({ stackName: "program", workDir: __dirname });
      const verify = () => { throw new Error("no answer"); };
      const { result, why, left } = await lvs.upOrRollBack(stack, { verify, say: console.log });
      console.log(JSON.stringify({ result, why, left }));
    })();`,
  );
  const { text } = await stack.run(process.execPath, ["deploy.js"]);
  expect(text).toBe(
    `the verification failed: no answer; rolling back\n{"result":"rolled back","why":"the verification failed: no answer","left":[]}\n`,
  );
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
});
