import { expect, it } from "vitest";
import { type HostName, run } from "../support/machines/lab.mts";
import { answered, breakOff, hold, letGo } from "./held.mts";
import { directors, untilHeld } from "./holders.mts";
import { differences, type States, statesOf, tableOf } from "./host-state.mts";
import { underLoad } from "./load.mts";
import { ask, disposing, onLab, patience } from "./setup.mts";
import { Stack } from "./stack.mts";

const vip = "192.168.0.210";
const own = "192.168.0.200";

/** LVS/DR with two directors, of which the preferred one is a real server, too. It forwards packets, so a loop could come about. */
const configuration = `config:
  lvs:clusters:
    web:
      kind: dr
      ipForwarding: true
      directors:
        - connection: { host: director }
          interface: eth1
          # a director goes on with a connection that it was not told of, and mh finds the same server for it
          sysctls: { net.ipv4.vs.sloppy_tcp: "1" }
        - connection: { host: rs1 }
      vrrp: { routerId: 61, preemptDelay: 5 }
      sync: { mcastInterface: eth2, syncid: 7 }
      vips: [${vip}]
      drain: { timeout: 600 }
      services:
        - { port: 80, scheduler: mh, schedulerFlags: [mh-port, mh-fallback], health: { interval: 2, rise: 1, fall: 2, check: { type: tcp } } }
      realServers:
        - { name: self, address: ${own}, connection: { host: director }, weight: 1 }
        - { name: other, address: 192.168.0.222, connection: { host: rs2 } }
`;

/** Counts packets of clients to the service, with those that another director forwards. */
const rule = `PREROUTING -t mangle -d ${vip} -p tcp --dport 80`;
const countOn = async (host: HostName): Promise<number> =>
  Number((await run(host, "iptables -t mangle -nvxL PREROUTING")).stdout.match(/^ *(\d+) .* dpt:80/m)?.[1]);

onLab("a director that is a real server of the other one's cluster, too", () => {
  const keep = disposing();
  let stack: Stack;
  let clean: States;

  const answering = async () => Object.keys(await ask(`http://${vip}/`, 40)).sort();

  it("answers clients while it has the VIP, and is in no table but its own", async () => {
    await run("director", "hostname >/var/www/html/index.html; systemctl start nginx");
    // what loads them stays loaded
    for (const host of directors) await run(host, `modprobe -a ip_vs ip_vs_mh; iptables -A ${rule}`);
    clean = await statesOf([...directors, "rs2"]);
    stack = keep(await Stack.ofEnvironment("director-member", { configuration }));
    await stack.up();
    await untilHeld(vip, "director");
    const other = `-a -t ${vip}:80 -r 192.168.0.222:80 -g -w 1`;
    const service = `-A -t ${vip}:80 -s mh -b mh-fallback,mh-port`;
    expect((await tableOf("director")).trim().split("\n").sort()).toEqual(
      [service, `-a -t ${vip}:80 -r ${own}:80 -g -w 1`, other].sort(),
    );
    expect(await tableOf("rs1")).toBe(`${service}\n${other}\n`);
    await expect.poll(answering, patience).toEqual(["director", "rs2"]);
  });

  it("has the kernel forward on both while a backup daemon runs, so backup_only stays 0", async () => {
    for (const host of directors) {
      const { stdout } = await run(host, "sysctl -n net.ipv4.vs.backup_only; ipvsadm -Ln --daemon");
      expect(stdout).toMatch(/^0\n/);
      expect(stdout).toMatch(/backup sync daemon/);
    }
  });

  it("drains, and then no request is lost while the VIP goes to the other one, which does not send to it, and back", async () => {
    const lvs = async (...words: string[]) => {
      const { code, text } = await stack.pulumiLvs([...words, "--stack", "director-member"]);
      expect(code, text).toBe(0);
    };
    const load = await underLoad(
      vip,
      async () => {
        await stack.edit("weight: 1", "weight: 0");
        await stack.up();
        await lvs("failover", "web");
        await untilHeld(vip, "rs1");
        const before = await countOn("director");
        expect(await answering()).toEqual(["rs2"]);
        expect(await countOn("director")).toBe(before);
        await lvs("failover", "web", "--back");
        await untilHeld(vip, "director");
        await stack.edit("weight: 0", "weight: 1");
        await stack.up();
        await expect.poll(answering, patience).toEqual(["director", "rs2"]);
      },
      // not many more: each costs the machines 3 ms of a processor
      { pause: 0.03 },
    );
    console.log(
      `a director that is a real server: ${load.requests} requests, ${load.failures.length} failed, ${load.held} on held connections, ${JSON.stringify(load.servers)}, longest ${load.latency?.most} s`,
    );
    expect(load.failures).toEqual([]);
    expect(Object.keys(load.servers).sort()).toEqual(["director", "rs2"]);
  });

  it("loses a connection that it answers itself, whose packets go round in no loop", async () => {
    const isHeldByItself = async () => {
      await breakOff();
      await hold(vip);
      const { stdout } = await run("client", `sleep 4; ss -tnH state established dst ${vip}`);
      const [, port] = /\.100:(\d+)/.exec(stdout) ?? [];
      return (await run("rs1", "ipvsadm -Lnc")).stdout.includes(`:${port} ${vip}:80   ${own}:80`);
    };
    await expect.poll(isHeldByItself, patience).toBe(true);
    await run("director", "systemctl stop keepalived");
    await untilHeld(vip, "rs1");
    const before = await countOn("rs1");
    await letGo();
    await run("client", "sleep 6");
    // the client repeats its packet some times; one that went round would be counted sixty times
    const repeated = (await countOn("rs1")) - before;
    expect(repeated).toBeGreaterThan(0);
    expect(repeated).toBeLessThan(20);
    expect(await answered()).toBe("");
    await breakOff();
    await run("director", "systemctl start keepalived");
    await untilHeld(vip, "director");
  });

  it("goes without a trace", async () => {
    await stack.destroy();
    expect(differences(clean, await statesOf([...directors, "rs2"]))).toEqual([]);
  });
});
