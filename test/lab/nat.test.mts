import { expect, it } from "vitest";
import { reset, run } from "../support/machines/lab.mts";
import { differences, type States, statesOf } from "./host-state.mts";
import { arpAnswers, aside, ask, disposing, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";
import { onPurpose, runTutorial } from "./tutorial.mts";

const hosts = ["director", "rs1", "rs2"] as const;

onLab("the tutorial's LVS/NAT cluster", () => {
  const keep = disposing();
  let stack: Stack;
  let clean: States;
  let byHand: States;

  it("is built by the tutorial's own script, as the measure", async () => {
    clean = await statesOf(hosts);
    await runTutorial("director", "director-nat");
    byHand = await statesOf(hosts);
    await reset();
    expect(byHand.director?.ipvs).toContain("-a -t 192.168.0.219:80 -r 192.168.10.11:80 -m -w 1");
  });

  it("comes up on clean hosts with the same table, addresses and routes", async () => {
    stack = keep(await Stack.ofEnvironment("lab-nat"));
    await stack.up();
    const found = differences(byHand, await statesOf(hosts));
    // on purpose: redirects off, and the way back through the director, without which this client gets no answer
    expect(found.filter((line) => !onPurpose.test(line)).sort()).toEqual(
      [
        ...["all", "eth1", "eth2"].flatMap((name) => [
          `director sysctls: - net.ipv4.conf.${name}.send_redirects = 1`,
          `director sysctls: + net.ipv4.conf.${name}.send_redirects = 0`,
        ]),
        "rs1 routes: + 192.168.0.100 via 192.168.10.10 dev eth2",
        "rs2 routes: + 192.168.0.100 via 192.168.10.10 dev eth2",
      ].sort(),
    );
  });

  it("spreads 60 connections evenly", async () => {
    expect(await ask("http://192.168.0.219/", 60)).toEqual({ rs1: 30, rs2: 30 });
  });

  it("lets only the director answer ARP for the VIP", async () => {
    expect(await arpAnswers("192.168.0.219")).toEqual(["director"]);
  });

  it("changes nothing at a second up", async () => {
    const before = await statesOf(hosts);
    expect(await stack.up("--expect-no-changes")).toMatch(/10 unchanged/);
    expect(differences(before, await statesOf(hosts))).toEqual([]);
  });

  it("is destroyed without trace", async () => {
    await stack.destroy();
    expect(differences(clean, await statesOf(hosts))).toEqual([]);
  });

  aside?.("connects to no host in a preview and in an update without changes", async () => {
    await stack.up();
    for (const host of hosts) await run(host, "systemctl stop ssh.socket ssh 2>/dev/null; :");
    const preview = await stack.pulumi("preview", "--expect-no-changes");
    const update = await stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
    for (const { code, text } of [preview, update]) {
      expect(text).toMatch(/10 unchanged/);
      expect(code).toBe(0);
    }
  });
});
