import { expect, it } from "vitest";
import { reset, run } from "../support/machines/lab.mts";
import { differences, type States, stateOf, statesOf } from "./host-state.mts";
import { arpAnswers, aside, ask, disposing, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";
import { onPurpose, runTutorial } from "./tutorial.mts";

const hosts = ["director", "rs1", "rs2"] as const;

onLab("the tutorial's LVS/DR cluster", () => {
  const keep = disposing();
  let stack: Stack;
  let clean: States;
  let byHand: States;

  it("is built by the tutorial's own scripts, as the measure", async () => {
    clean = await statesOf(hosts);
    await runTutorial("rs1", "real-server-dr");
    await runTutorial("rs2", "real-server-dr");
    await runTutorial("director", "director-dr");
    byHand = await statesOf(hosts);
    await reset();
    expect(differences(clean, byHand)).toContain("rs1 sysctls: + net.ipv4.conf.all.arp_ignore = 1");
    expect(differences(clean, await statesOf(hosts))).toEqual([]);
  });

  it("comes up on clean hosts with the same table, addresses, routes and sysctls", async () => {
    stack = keep(await Stack.ofEnvironment("lab-dr"));
    await stack.up();
    expect(differences(byHand, await statesOf(hosts)).filter((line) => !onPurpose.test(line))).toEqual([]);
  });

  it("spreads 60 connections by weight", async () => {
    expect(await ask("http://192.168.0.210/", 60)).toEqual({ rs1: 20, rs2: 40 });
  });

  it("lets only the director answer ARP for the VIP", async () => {
    expect(await arpAnswers("192.168.0.210")).toEqual(["director"]);
  });

  it("shows the VIP, the services and their members", async () => {
    const { text } = await stack.pulumi("stack", "output", "--json");
    const service = "tcp://192.168.0.210:80";
    const member = { service, port: 80, forwarding: "gatewaying" };
    expect(JSON.parse(text).clusters.dr).toEqual({
      vips: ["192.168.0.210"],
      services: [`director/${service}`],
      health: {},
      reasons: {},
      drained: { [`director/${service}`]: [] },
      members: [
        { ...member, address: "192.168.0.221", weight: 1 },
        { ...member, address: "192.168.0.222", weight: 2 },
      ],
    });
  });

  it("changes nothing at a second up", async () => {
    const before = await statesOf(hosts);
    expect(await stack.up("--expect-no-changes")).toMatch(/15 unchanged/);
    expect(differences(before, await statesOf(hosts))).toEqual([]);
  });

  aside?.("keeps small things in its state", async () => {
    const resources = (await stack.resources()).filter(({ type }) =>
      type.startsWith("pulumi-nodejs:dynamic/lvs:"),
    );
    expect(resources).toHaveLength(13);
    for (const { outputs } of resources) expect(String(outputs.__provider).length).toBeLessThanOrEqual(200);
    const servers = resources.filter(({ type }) => type.endsWith(":RealServer"));
    expect(servers).toHaveLength(2);
    for (const server of servers) expect(JSON.stringify(server).length).toBeLessThanOrEqual(2048);
  });

  aside?.("connects to no host in a preview and in an update without changes", async () => {
    for (const host of hosts) await run(host, "systemctl stop ssh.socket ssh 2>/dev/null; :");
    const preview = await stack.pulumi("preview", "--expect-no-changes");
    const update = await stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
    for (const { code, text } of [preview, update]) {
      expect(text).toMatch(/15 unchanged/);
      expect(code).toBe(0);
    }
  });

  it("is rebuilt on hosts that lost it, and destroyed without trace", async () => {
    await reset();
    await stack.up("--refresh");
    expect(await ask("http://192.168.0.210/", 3)).toEqual({ rs1: 1, rs2: 2 });
    await stack.destroy();
    expect(differences(clean, await statesOf(hosts))).toEqual([]);
    expect((await stateOf("director")).modules).not.toMatch(/ip_vs/);
  });
});
