import { join } from "node:path";
import { expect, it } from "vitest";
import { run } from "../support/machines/lab.mts";
import { differences, type States, statesOf } from "./host-state.mts";
import { ask, disposing, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";

const hosts = ["director", "rs1", "rs2"] as const;

// the third has weight 0: it is the director's own address, where no program serves
const configuration = `config:
  lvs:clusters:
    dr:
      kind: dr
      director: { connection: { host: director }, interface: eth1 }
      vips: [192.168.0.210]
      services: [{ port: 80, scheduler: wlc }]
      realServers:
        - { name: rs1, address: 192.168.0.221, weight: 1, connection: { host: rs1 } }
        - { name: rs2, address: 192.168.0.222, weight: 2, connection: { host: rs2 } }
        - { name: rs3, address: 192.168.0.200, weight: 0 }
`;

const flags = ["--stack", "rollback", "--yes", "--skip-preview", "--non-interactive", "--color", "never"];

onLab("rollback of a whole update", () => {
  const keep = disposing();
  let stack: Stack;
  let before: States;

  it("begins with a cluster that serves", async () => {
    stack = keep(await Stack.ofEnvironment("rollback", { configuration }));
    stack.environment({ PULUMI_HOME: join(stack.folder, ".pulumi-home") });
    const { code, text } = await stack.pulumiLvs(["up", ...flags, "--verify", "true"]);
    expect(code, text).toBe(0);
    expect(await ask("http://192.168.0.210/", 6)).toEqual({ rs1: 2, rs2: 4 });
    // another program's, by another label, in the way of the update on the second real server only
    await run("rs2", "ip addr add 192.168.0.211/32 dev lo label lo:9");
    before = await statesOf(hosts);
  });

  it("brings every host back when an update breaks on the second of three real servers", async () => {
    await stack.edit("vips: [192.168.0.210]", "vips: [192.168.0.210, 192.168.0.211]");
    await stack.edit("address: 192.168.0.221, weight: 1", "address: 192.168.0.221, weight: 5");
    await stack.edit("address: 192.168.0.200, weight: 0", "address: 192.168.0.200, weight: 9");
    const { code, text } = await stack.pulumiLvs(["up", ...flags]);
    expect(code, text).toBe(10);
    expect(text).toMatch(
      /VirtualAddress dr-rs2-vip-192\.168\.0\.211: .*it exists already, with other settings/,
    );
    expect(text).toMatch(/rolled back: hosts and state are as they were before the update/);
    expect(differences(before, await statesOf(hosts))).toEqual([]);
  });

  it("leaves the old cluster serving", async () => {
    expect(Object.keys(await ask("http://192.168.0.210/", 6)).sort()).toEqual(["rs1", "rs2"]);
    expect(await ask("http://192.168.0.211/", 1)).toEqual({ failed: 1 });
  });

  it("leaves nothing for the old program to do", async () => {
    await stack.edit("vips: [192.168.0.210, 192.168.0.211]", "vips: [192.168.0.210]");
    await stack.edit("address: 192.168.0.221, weight: 5", "address: 192.168.0.221, weight: 1");
    await stack.edit("address: 192.168.0.200, weight: 9", "address: 192.168.0.200, weight: 0");
    const { code, text } = await stack.pulumi("preview", "--diff", "--expect-no-changes");
    expect(code, text).toBe(0);
  });

  it("rolls back what went through too, when a verification from the client finds it wrong, or later", async () => {
    await stack.edit("address: 192.168.0.221, weight: 1", "address: 192.168.0.221, weight: 0");
    const verified = await stack.pulumiLvs(["up", ...flags, "--verify", "false"]);
    expect(verified.code, verified.text).toBe(10);
    expect(differences(before, await statesOf(hosts))).toEqual([]);
    const through = await stack.pulumiLvs(["up", ...flags]);
    expect(through.code, through.text).toBe(0);
    expect(await ask("http://192.168.0.210/", 4)).toEqual({ rs2: 4 });
    const later = await stack.pulumiLvs(["rollback", "--stack", "rollback"]);
    expect(later.code, later.text).toBe(0);
    expect(differences(before, await statesOf(hosts))).toEqual([]);
    expect(Object.keys(await ask("http://192.168.0.210/", 6)).sort()).toEqual(["rs1", "rs2"]);
  });

  it("goes away with the stack", async () => {
    await stack.destroy();
    expect((await run("director", "cat /proc/net/ip_vs 2>/dev/null || :")).stdout).not.toMatch(/TCP/);
  });
});
