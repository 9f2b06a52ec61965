import { expect, onTestFinished, test } from "vitest";
import { commandOf, descendants } from "../lab/processes.mjs";
import type { Answer, Stack } from "../lab/stack.mjs";
import type { SshHost } from "../support/fake/ssh-host.js";
import { sendSignal } from "../support/send-signal.mjs";
import { previewIsEmpty, succeed, tables, upAtFirstStep, updates } from "./harness/real-updates.js";

const { threeHosts, stackOf, servicesOn, keyPath } = updates();

/** Two directors, and an update of all that they have. It has come to the second one when it reaches the preferred one. */
async function pair() {
  const [one, two] = await threeHosts();
  const connection = (host: SshHost) => host.connection(keyPath());
  const program = (scheduler: string, weight: number) => {
    const args = {
      directors: [
        { name: "one", connection: connection(one), interface: "eth0" },
        { name: "two", connection: connection(two) },
      ],
      vrrp: { routerId: 51 },
      vips: ["192.168.0.210"],
      services: [{ port: 80, scheduler, health: { check: { type: "tcp" } } }],
      realServers: [{ name: "web", address: "192.168.10.11", weight }],
    };
    return `new lvs.DrCluster("web", ${JSON.stringify(args)});`;
  };
  const stack = await stackOf(program("wlc", 1));
  await stack.up();
  const before = tables([one, two]);
  await stack.program(program("wrr", 5));
  const changed = async () => {
    const [table, other] = tables([one, two]);
    expect(table).toEqual(other);
    expect(table?.join()).toMatch(/-s wrr.*-w 5/);
    await stack.refresh("--expect-no-changes");
    await previewIsEmpty(stack);
  };
  return { one, two, stack, before, changed };
}

/** Returns the plugin of a run that has the resources, and what it has started. */
const providersOf = (pid: number): number[] =>
  descendants(pid)
    .filter((one) => commandOf(one).some((word) => word.includes("pulumi-resource-pulumi-nodejs")))
    .flatMap((one) => [one, ...descendants(one)]);

/** An update whose provider is killed at its first step on this host. The step goes through all the same. */
async function upWithoutProvider(stack: Stack, host: SshHost): Promise<Answer> {
  const { pid, updating, go } = await upAtFirstStep(stack, host);
  const providers = providersOf(pid);
  expect(providers.length).toBeGreaterThan(0);
  onTestFinished(() => {
    for (const provider of providers) sendSignal(provider, "SIGKILL");
  });
  for (const provider of providers) sendSignal(provider, "SIGKILL");
  go();
  const answer = await updating;
  host.fake.mend();
  return answer;
}

test("an update whose provider is killed between two directors is undone on both, and the next one goes through", async () => {
  const { one, two, stack, before, changed } = await pair();
  const { code, text } = await upWithoutProvider(stack, one);
  expect(code, text).toBe(10);
  expect(tables([one, two])).toEqual(before);
  await succeed(stack);
  await changed();
});

test("what a killed provider was creating is deleted on its host, and the next update creates it", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(servicesOn(hosts, { weights: [1, undefined] }));
  await stack.up();
  const before = tables(hosts);
  await stack.program(servicesOn(hosts, { weights: [1, 2] }));
  const { code, text } = await upWithoutProvider(stack, hosts[1]);
  expect(text).toContain("looking for RealServer rs1 on 127.0.0.1:");
  expect(code, text).toBe(10);
  expect(tables(hosts)).toEqual(before);
  await succeed(stack);
  expect(hosts[1].fake.lines("ipvs").join()).toContain("-w 2");
  expect(hosts[1].fake.owners().join()).toContain("test/program/rs1 RealServer");
});
