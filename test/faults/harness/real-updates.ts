import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { descendants } from "../../lab/processes.mjs";
import { type Answer, Stack, type StateResource } from "../../lab/stack.mjs";
import freshBuild from "../../support/fake/fresh-build.js";
import { clientKeyIn, SshHost } from "../../support/fake/ssh-host.js";
import { sendSignal } from "../../support/send-signal.mjs";
import { dynamicClass } from "./dynamic-class.js";

// The real Pulumi CLI and engine, real SSH to fake hosts that run the real scripts: nothing but the kernel is missing.

interface Services {
  /** Weight of the real server behind each host's service; undefined is no real server. */
  weights: (number | undefined)[];
  /** The input of the neighbour, a resource of another package. */
  neighbour?: string;
  /** Lines at the end. */
  more?: string;
}

// it notes what it is asked to do
const neighbourClass = dynamicClass(
  "Neighbour",
  `{
  async create(props) { require("node:fs").appendFileSync(props.calls, "create\\n"); return { id: "neighbour", outs: props }; },
  async update(_id, _olds, news) { require("node:fs").appendFileSync(news.calls, "update\\n"); return { outs: news }; },
  async delete(_id, props) { require("node:fs").appendFileSync(props.calls, "delete\\n"); },
}`,
);

type AtEnd = (dispose: () => Promise<void>) => void;

/** What tests of whole updates share: a folder, a key, hosts, stacks and their program. A test file calls it once. */
export function updates() {
  let place = "";
  let key: ReturnType<typeof clientKeyIn>;
  beforeAll(() => {
    freshBuild();
    place = mkdtempSync(join(tmpdir(), "lvs-rollback-"));
    key = clientKeyIn(place);
  });

  afterAll(() => rmSync(place, { recursive: true, force: true }));

  /** Three directors that go with the test, or at another end. */
  async function threeHosts(atEnd: AtEnd = onTestFinished): Promise<[SshHost, SshHost, SshHost]> {
    const hosts = await Promise.all([1, 2, 3].map(() => SshHost.start(key.key)));
    atEnd(async () => {
      for (const host of hosts) await host.dispose();
    });
    return hosts as [SshHost, SshHost, SshHost];
  }

  const environment = () => ({
    PULUMI_HOME: mkdtempSync(join(place, "home-")),
    LVS_SSH_CONFIG: "/dev/null",
    SSH_AUTH_SOCK: "",
  });

  async function stackOf(
    program: string,
    env: Record<string, string> = {},
    atEnd: AtEnd = onTestFinished,
  ): Promise<Stack> {
    const stack = await Stack.ofProgram(program, { ...environment(), ...env });
    atEnd(() => stack.dispose());
    return stack;
  }

  /** A larger program: another package's component, in it a service on each host, and another package's resource that ours depend on. */
  const servicesOn = (
    hosts: readonly SshHost[],
    { weights, neighbour = "stays", more = "" }: Services,
  ): string => `
const connections = ${JSON.stringify(hosts.map((host) => ({ ...host.connection(key.path), password: "planted-secret" })))};
const weights = ${JSON.stringify(weights)};
const calls = ${JSON.stringify(join(place, "calls-"))} + pulumi.getProject() + (process.env.FIRST_HOME || process.env.PULUMI_HOME).replaceAll("/", "-");
${neighbourClass}
const neighbour = new Neighbour("neighbour", { reported: ${JSON.stringify(neighbour)}, calls });
const site = new pulumi.ComponentResource("other:index:Site", "site", {}, {});
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
  return {
    threeHosts,
    stackOf,
    servicesOn,
    callsOf,
    environment,
    inPlace: (name: string) => join(place, name),
    keyPath: () => key.path,
  };
}

export const quiet = ["--yes", "--skip-preview", "--non-interactive", "--color", "never"];
/** `npx pulumi-lvs up` without questions. */
export const up = (stack: Stack, ...args: string[]): Promise<Answer> =>
  stack.pulumiLvs(["up", ...quiet, ...args]);

/** An update by `npx pulumi-lvs` that has to go through. `stack.up()` costs half of it where that is not the claim. */
export async function succeed(stack: Stack, ...args: string[]): Promise<void> {
  const { code, text } = await up(stack, ...args);
  expect(code, text).toBe(0);
}

/** The table of each host. */
export const tables = (hosts: readonly SshHost[]): string[][] => hosts.map(({ fake }) => fake.lines("ipvs"));

export type Entry = StateResource & {
  dependencies?: string[];
  propertyDependencies?: Record<string, string[]>;
} & Record<string, unknown>;

/** State with secrets in clear, without what only tells when and from where in a program, and in one order. */
export async function stateOf(stack: Stack): Promise<Entry[]> {
  const { text } = await stack.pulumi("stack", "export", "--show-secrets");
  const { resources = [] } = (JSON.parse(text) as { deployment: { resources?: Entry[] } }).deployment;
  const reported = ({ created, modified, stackTrace, sourcePosition, ...entry }: Entry): Entry => ({
    ...entry,
    dependencies: (entry.dependencies ?? []).toSorted(),
    propertyDependencies: Object.fromEntries(
      Object.entries(entry.propertyDependencies ?? {})
        .filter(([, urns]) => urns.length > 0)
        .map(([name, urns]) => [name, urns.toSorted()]),
    ),
  });
  return resources.map(reported).sort((a, b) => (a.urn < b.urn ? -1 : 1));
}

export async function previewIsEmpty(stack: Stack): Promise<void> {
  const { code, text } = await stack.pulumi("preview", "--diff", "--expect-no-changes");
  expect(code, text).toBe(0);
}
/** An update whose verification waits for `finish`, and then fails; `reached` resolves when the update itself is through. */
export async function upThatWaits(
  stack: Stack,
  name: (file: string) => string,
): Promise<() => Promise<Answer>> {
  const [reached, go] = [name("reached"), name("go")];
  for (const file of [reached, go]) rmSync(file, { force: true });
  const verify = `touch ${reached}; while [ ! -e ${go} ]; do sleep 0.05; done; exit 1`;
  const updating = up(stack, "--verify", verify);
  await expect.poll(() => existsSync(reached), { timeout: 240_000 }).toBe(true);
  return () => {
    writeFileSync(go, "");
    return updating;
  };
}

/** An update that waits at its first step on this host, with the number of its process; `go` lets it go on. */
export async function upAtFirstStep(stack: Stack, host: SshHost) {
  const { reached, go } = host.fake.pauseStep(0);
  let pid = 0;
  const updating = stack.pulumiLvs(["up", ...quiet], (child) => {
    pid = child.pid as number;
  });
  await expect.poll(() => reached().then(() => true), { timeout: 240_000 }).toBe(true);
  return { pid, updating, go };
}

/**
 * An update that is killed together with Pulumi at its first step on this host. The step goes through all the same, and
 * `done` is then in the host's table.
 */
export async function upKilledAtFirstStep(
  stack: Stack,
  host: SshHost,
  done: string,
  beforeKill: () => Promise<void> = async () => undefined,
): Promise<void> {
  const { pid, updating, go } = await upAtFirstStep(stack, host);
  await beforeKill();
  const [pulumi = 0, ...others] = descendants(pid);
  // plugins whose engine was killed stay
  onTestFinished(() => {
    for (const one of others) sendSignal(one, "SIGKILL");
  });
  for (const one of [pid, pulumi]) sendSignal(one, "SIGKILL");
  await updating;
  go();
  await inTable(host, done);
  host.fake.mend();
}

/** Waits until the host's table has this text. */
export const inTable = ({ fake }: SshHost, text: string): Promise<void> =>
  expect.poll(() => fake.lines("ipvs").join(), { timeout: 120_000 }).toContain(text);

/** The file of the backend beside the stack's state. */
export const attributesOf = (stack: Stack): string =>
  join(stack.state, ".pulumi/stacks/test/program.json.attrs");

/** Does what docs/rollback.md says of a CLI that was killed at the wrong moment. */
export function withoutEmptyAttributes(stack: Stack): void {
  const file = attributesOf(stack);
  if (statSync(file, { throwIfNoEntry: false })?.size === 0) rmSync(file);
}

/** On this computer, the lock of a run that was killed is refused first, and then the run is rolled back. */
export async function rollBackKilled(stack: Stack): Promise<void> {
  withoutEmptyAttributes(stack);
  const locked = await stack.pulumiLvs(["rollback"]);
  expect(locked.code, locked.text).toBe(11);
  expect(locked.text).toMatch(/locked/);
  expect((await stack.pulumi("cancel", "--yes")).code).toBe(0);
  const { code, text } = await stack.pulumiLvs(["rollback"]);
  expect(code, text).toBe(0);
  expect((await stack.pulumi("stack", "export")).text).not.toContain("pending_operations");
}
