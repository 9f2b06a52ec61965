import { expect, it } from "vitest";
import { run } from "../support/machines/lab.mts";
import { directors, untilHeld, withoutTakeover } from "./holders.mts";
import { differences, type States, statesOf, tableOf } from "./host-state.mts";
import { underLoad } from "./load.mts";
import { ask, disposing, onLab, patience } from "./setup.mts";
import { Stack } from "./stack.mts";

const vip = "192.168.0.210";

/** LVS/DR with two directors. The real servers are one machine by several addresses. */
const configuration = `config:
  lvs:clusters:
    web:
      kind: dr
      directors:
        - connection: { host: director }
          interface: eth1
          timeouts: { tcp: 800 }
          # a director goes on with a connection that it was not told of, and mh finds the same server for it
          sysctls: { net.ipv4.vs.sloppy_tcp: "1", net.ipv4.vs.expire_nodest_conn: "1" }
        - connection: { host: rs1 }
      vrrp: { routerId: 61, preemptDelay: 5, advertInterval: 1 }
      sync: { mcastInterface: eth2, syncid: 7 }
      vips: [${vip}]
      services:
        - port: 80
          scheduler: mh
          schedulerFlags: [mh-port, mh-fallback]
          health: { interval: 3, rise: 1, fall: 2, check: { type: tcp } }
      drain: {}
      realServers:
        - { name: one, address: 192.168.0.222, connection: { host: rs2 }, weight: 10 }
        - { name: two, address: 192.168.10.12, weight: 20 }
`;

/** Waits until both tables are the same and have some text. */
const untilEqual = (...texts: string[]) =>
  expect
    .poll(async () => {
      const [one, other] = [await tableOf("director"), await tableOf("rs1")];
      return one === other && texts.every((text) => one.includes(text));
    }, patience)
    .toBe(true);

onLab("a cluster with two directors", () => {
  const keep = disposing();
  let stack: Stack;
  let clean: States;

  it("is made on both, with equal tables, and the first one has the VIP", async () => {
    // an entry of the table loads it, and it stays
    for (const host of directors) await run(host, "modprobe ip_vs");
    await run("rs2", "ip addr add 192.168.0.223/24 dev eth1");
    clean = await statesOf([...directors, "rs2"]);
    stack = keep(await Stack.ofEnvironment("two-directors", { configuration }));
    await stack.up();
    await untilHeld(vip, "director");
    await untilEqual("-r 192.168.0.222:80 -g -w 10", "-r 192.168.10.12:80 -g -w 20");
    expect(await ask(`http://${vip}/`, 6)).toEqual({ rs2: 6 });
  });

  /** Runs `npx pulumi-lvs` for the cluster. */
  const lvs = async (command: string, ...more: string[]) => {
    const { code, text } = await stack.pulumiLvs([command, "web", "--stack", "two-directors", ...more]);
    expect(code, text).toBe(0);
  };

  const bootIds = () =>
    Promise.all(
      directors.map(async (host) => (await run(host, "cat /proc/sys/kernel/random/boot_id")).stdout),
    );

  it("changes on both, moves the VIP and back, and reboots both, under load without a failed request", async () => {
    const before = await bootIds();
    const load = await underLoad(
      vip,
      async () => {
        await stack.edit("weight: 10", "weight: 30");
        await stack.edit(
          "two, address: 192.168.10.12, weight: 20",
          "three, address: 192.168.0.223, weight: 5",
        );
        await stack.edit("tcp: 800", "tcp: 900");
        // The default is another one. Both are right, so a second try takes the first one again.
        let [interval, next] = [", advertInterval: 1", ""];
        await withoutTakeover("eth1-61", async () => {
          await stack.edit(`preemptDelay: 5${interval}`, `preemptDelay: 5${next}`);
          [interval, next] = [next, interval];
          await stack.up();
        });
        await untilEqual("-r 192.168.0.222:80 -g -w 30", "-r 192.168.0.223:80 -g -w 5");
        for (const host of directors) {
          expect(await tableOf(host)).not.toContain("192.168.10.12");
          expect((await run(host, "ipvsadm -Ln --timeout")).stdout).toContain(
            "Timeout (tcp tcpfin udp): 900 ",
          );
        }
        await lvs("failover");
        await untilHeld(vip, "rs1");
        await lvs("failover", "--back");
        await untilHeld(vip, "director");
        await lvs("rolling", "--", "reboot");
      },
      { least: 10_000 },
    );
    console.log(
      `changes and reboots of two directors: ${load.requests} requests, ${load.failures.length} failed`,
    );
    expect(load.failures).toEqual([]);
    expect(load.requests).toBeGreaterThanOrEqual(10_000);
    for (const [i, id] of (await bootIds()).entries()) expect(id).not.toBe(before[i]);
    await untilHeld(vip, "director");
    await untilEqual("-w 30");
  });

  it("shows which director has the VIP, and goes without a trace", async () => {
    expect(await stack.up("--refresh", "--expect-no-changes")).toMatch(/unchanged/);
    const states = (await stack.resources()).filter(({ type }) => type.endsWith(":VrrpInstance"));
    expect(states.map(({ id, outputs }) => `${id} ${outputs.state}`).sort()).toEqual([
      "director/vrrp/eth1/61 master",
      "rs1/vrrp/eth1/61 backup",
    ]);
    await stack.destroy();
    const after = await statesOf([...directors, "rs2"]);
    // directors have rebooted, and have no ip_vs and no nf_conntrack any more
    const isOfModule =
      /^(director|rs1) (modules: |sysctls: - net\.(ipv4\.vs\.|netfilter\.nf_conntrack_|nf_conntrack_max)|directorWide: - Timeout)/;
    expect(differences(clean, after).filter((line) => !isOfModule.test(line))).toEqual([]);
  });
});
