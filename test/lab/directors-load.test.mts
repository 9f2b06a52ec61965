import { expect, it } from "vitest";
import { run } from "../support/machines/lab.mts";
import { addressed } from "./addressed.mts";
import { directors, untilHeld } from "./holders.mts";
import { differences, type States, statesOf, tableOf } from "./host-state.mts";
import { underLoad } from "./load.mts";
import { disposing, isLong, itAtNight, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";

/** The VIPs, each with the client's address that asks it. Only answers of LVS/NAT go through the gateway. */
const vips = {
  "DR IPv6": ["fd00:77::210", "fd00:77::100"],
  "NAT IPv4": ["192.168.0.211", "192.168.0.101"],
  "NAT IPv6": ["fd00:77::211", "fd00:77::101"],
} as const;
const [direct, nat] = [vips["DR IPv6"][0], vips["NAT IPv4"][0]];
/** With it, there are more requests, which take a minute each time, and reboots. */
/** Requests to each VIP while something is done. */
const least = isLong ? 2000 : 300;

const common = `
      sync: { mcastInterface: eth2, syncid: 7 }
      services: [{ port: 80, scheduler: mh, schedulerFlags: [mh-port] }]`;
const members = `
        - connection: { host: director }
          interface: eth1
          insideInterface: eth2
          # a director goes on with a connection that it was not told of, and mh finds the same server for it
          sysctls: { net.ipv4.vs.sloppy_tcp: "1" }
        - connection: { host: rs1 }`;

/** LVS/DR and LVS/NAT on the same directors. Real servers are one machine by two addresses. */
const configuration = `config:
  lvs:clusters:
    direct:
      kind: dr
      directors:${members.replace(/\n *insideInterface.*/, "")}
      vrrp: { routerId: 61, preemptDelay: 5 }${common}
      vips: ["${direct}"]
      realServers:
        - { name: one, address: "fd00:77::222", connection: { host: rs2 }, weight: 11 }
        - { name: two, address: "fd00:77::232", weight: 10 }
    nat:
      kind: nat
      directors:${members}
      vrrp:
        routerId: 62
        preemptDelay: 5
        gateways: [{ address: 192.168.10.1, prefixLength: 24 }, { address: "fd00:88::1", prefixLength: 64 }]${common}
      vips: [${nat}, "${vips["NAT IPv6"][0]}"]
      realServers:
        - { name: one, address: 192.168.10.12, address6: "fd00:88::12", connection: { host: rs2 }, weight: 12 }
        - { name: two, address: 192.168.10.32, address6: "fd00:88::32", weight: 10 }
      returnRoutes: [${vips["NAT IPv4"][1]}, "${vips["NAT IPv6"][1]}"]
`;

onLab("clusters of LVS/NAT and IPv6 with two directors", () => {
  const keep = disposing();
  let stack: Stack;
  let clean: States;

  const untilAllHeldBy = async (by: (typeof directors)[number]) => {
    await untilHeld([direct, nat], by);
  };
  /** Has clients ask each VIP while something is done, without a failed request. */
  const unfailing = async (title: string, work: () => Promise<void>) => {
    const those = Object.values<readonly string[]>(vips);
    const asked = those.map(([vip, source]) => `${vip} 80 ${source}`);
    const load = await underLoad(asked, work, { least: those.length * (least + 10), pause: 0.03 });
    console.log(
      `${title}: ${load.requests} requests, ${load.failures.length} failed, ${JSON.stringify(load.targets)}, ${load.held} on held connections, longest ${load.latency?.most} s`,
    );
    expect(load.failures).toEqual([]);
    // A client repeats what was lost, so a move that waits for preemptDelay takes longer and does not fail.
    expect(load.latency?.most).toBeLessThan(4);
    for (const [vip = ""] of those) expect(load.targets[vip]).toBeGreaterThanOrEqual(least);
  };
  const failover = async (...more: string[]) => {
    for (const cluster of ["direct", "nat"]) {
      const { code, text } = await stack.pulumiLvs(["failover", cluster, ...more]);
      expect(code, text).toBe(0);
    }
  };

  it("are made on both", async () => {
    await addressed();
    await run("client", "ip addr add 192.168.0.101/24 dev eth1; ip addr add fd00:77::101/64 dev eth1 nodad");
    await run(
      "rs2",
      "ip addr add fd00:77::232/64 dev eth1 nodad; ip addr add 192.168.10.32/24 dev eth2; ip addr add fd00:88::32/64 dev eth2 nodad",
    );
    for (const host of directors) await run(host, "modprobe -a ip_vs ip_vs_mh");
    clean = await statesOf([...directors, "rs2"]);
    stack = keep(await Stack.ofEnvironment("directors-load", { configuration }));
    await stack.up();
    await untilAllHeldBy("director");
  });

  it("change their weights, and move the VIPs and back, under load without a failed request", async () => {
    await unfailing("weights, failover and back", async () => {
      await stack.edit("weight: 11", "weight: 30");
      await stack.edit("weight: 12", "weight: 30");
      await stack.up();
      for (const host of directors) expect((await tableOf(host)).match(/ -w 30$/gm)).toHaveLength(3);
      await failover();
      await untilAllHeldBy("rs1");
      await failover("--back");
      await untilAllHeldBy("director");
    });
  });

  it("change the order of their directors under load without a failed request", async () => {
    await unfailing("another order of directors", async () => {
      for (const [from, to] of [
        ["director", "direct1"],
        ["director", "nat1"],
        ["rs1", "director"],
        ["rs1", "director"],
        ["direct1", "rs1"],
        ["nat1", "rs1"],
      ])
        await stack.edit(`host: ${from}`, `host: ${to}`);
      expect(await stack.up()).not.toMatch(/replac/);
      await untilAllHeldBy("rs1");
    });
  });

  it("go without a trace", async () => {
    await stack.destroy();
    expect(differences(clean, await statesOf([...directors, "rs2"]))).toEqual([]);
  });

  // a boot sets much anew, so this comes after the comparison
  itAtNight?.("reboot one director after the other under load without a failed request", async () => {
    await stack.up();
    await untilAllHeldBy("rs1");
    await unfailing("reboots", async () => {
      for (const cluster of ["direct", "nat"]) {
        const { code, text } = await stack.pulumiLvs(["rolling", cluster, "--", "reboot"]);
        expect(code, text).toBe(0);
        await untilAllHeldBy("rs1");
      }
    });
    await stack.destroy();
  });
});
