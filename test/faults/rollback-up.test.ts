import { expect, onTestFinished, test } from "vitest";
import { Stack } from "../lab/stack.mjs";
import type { SshHost } from "../support/fake/ssh-host.js";
import {
  type Entry,
  previewIsEmpty,
  stateOf,
  succeed,
  tables,
  up,
  upAtFirstStep,
  updates,
} from "./harness/real-updates.js";

const { threeHosts, stackOf: stackWith, servicesOn, callsOf, environment, keyPath } = updates();

// `npx pulumi-lvs up`: an update that fails is rolled back. Secrets are encrypted by a passphrase here, and by a key service in
// the tests of other files.

const byPassphrase = { PULUMI_CONFIG_PASSPHRASE: "planted-passphrase" };
const stackOf = (program: string) => stackWith(program, byPassphrase);

test("an update that breaks on the second of three hosts is rolled back on all of them, and in state", async () => {
  const hosts = await threeHosts();
  const old = servicesOn(hosts, {
    weights: [1, 1, undefined],
    more: 'new lvs.RealServer("old", { connection: connections[0], service: "tcp://192.168.0.210:80", address: "192.168.10.19", port: 80 }, { dependsOn: site });',
  });
  const stack = await stackOf(old);
  await succeed(stack);
  const [before, state, calls] = [tables(hosts), await stateOf(stack), callsOf(stack)];
  expect(before[0]).toHaveLength(3);

  // one is changed, one fails, one is new, one goes
  await stack.program(servicesOn(hosts, { weights: [2, 3, 4] }));
  hosts[1].fake.failCommand("step", 0);
  const { code, text } = await up(stack);
  expect(code, text).toBe(10);
  expect(text).toMatch(
    /pulumi-lvs: the update failed; rolling back\npulumi-lvs: {3}RealServer rs1: cannot update .* on 127\.0\.0\.1:\d+: .*injected failure/,
  );
  // The host has answered, so it is known that nothing was changed there.
  expect(text).not.toContain("looking at");
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

test("a host that the update never reached does not keep others from a rollback", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(servicesOn(hosts, { weights: [1, 1, 1] }));
  await stack.up();
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(servicesOn(hosts, { weights: [2, 2, 2] }));
  await hosts[1].down();
  const { code, text } = await up(stack);
  expect(code, text).toBe(10);
  expect(text).toMatch(/RealServer rs1: cannot update .*cannot be reached at root@127\.0\.0\.1/);
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
});

test("a first update that fails leaves nothing of ours, and keeps what is another package's", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(servicesOn(hosts, { weights: [1, 1, 1] }));
  hosts[1].fake.failCommand("step", 1);
  const { code, text } = await up(stack);
  expect(code, text).toBe(10);
  expect(tables(hosts)).toEqual([[], [], []]);
  const types = (await stateOf(stack)).map(({ type }) => type);
  expect(types.toSorted()).toEqual([
    "other:index:Site",
    "pulumi-nodejs:dynamic:Resource",
    "pulumi:providers:pulumi-nodejs",
    "pulumi:pulumi:Stack",
  ]);
  expect(callsOf(stack)).toEqual(["create"]);
});

test("a change whose answer was lost is looked at on its host, and undone there too", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(servicesOn(hosts, { weights: [1, undefined, 1] }));
  await stack.up();
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(servicesOn(hosts, { weights: [5, 5, 1] }));
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

test("Ctrl-C ends the update in order, and then it is rolled back", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(servicesOn(hosts, { weights: [1, 1, 1] }));
  await stack.up();
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(servicesOn(hosts, { weights: [2, 2, 2] }));
  const { pid, updating, go } = await upAtFirstStep(stack, hosts[1]);
  process.kill(pid, "SIGINT");
  await expect.poll(() => hosts[0].fake.lines("ipvs").join(), { timeout: 120_000 }).toContain("-w 2");
  go();
  const { code, text } = await updating;
  hosts[1].fake.mend();
  expect(code, text).toBe(10);
  expect(text).toMatch(/SIGINT|cancel/i);
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
});

test("what Pulumi refuses changes nothing and keeps its exit code", async () => {
  const [host] = await threeHosts();
  const stack = await stackOf(servicesOn([host], { weights: [1] }));
  await stack.up();
  const before = tables([host]);
  await stack.program(servicesOn([host], { weights: [2] }));
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
  expect(broken.text).toMatch(/nothing of this package was changed, so there is nothing to roll back\n$/);
  expect([wrong.code, unconfirmed.code, broken.code]).not.toContain(10);
  expect(tables([host])).toEqual(before);
});

test("a cluster that is only configured is rolled back with all that it has on its hosts", async () => {
  const [director, web1, web2] = await threeHosts();
  const hosts = [director, web1, web2];
  const connection = (host: SshHost) => JSON.stringify(host.connection(keyPath()));
  const stack = await Stack.ofEnvironment("dr", {
    env: { ...environment(), ...byPassphrase },
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
  await stack.up();
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
