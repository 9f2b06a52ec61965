import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { until } from "../support/machines/command.mts";
import { type HostName, power, run, waitForSsh } from "../support/machines/lab.mts";
import { differences, type States, statesOf } from "./host-state.mts";
import { underLoad } from "./load.mts";
import { ask, disposing, onLab, waitOn } from "./setup.mts";
import { Stack } from "./stack.mts";

const directors = ["director", "rs1"] as const;
const vip = "192.168.0.210";
const seconds = 300;
const held = 20;

/** LVS/DR with two directors. Both real servers are one machine by two addresses. */
const configuration = `config:
  lvs:clusters:
    web:
      kind: dr
      directors:
        - connection: { host: director }
          interface: eth1
          # a connection is copied again after ten packets, so a returning director has it soon
          sysctls: { net.ipv4.vs.sync_threshold: "3 10" }
        - connection: { host: rs1 }
      vrrp: { routerId: 61, preemptDelay: 15 }
      sync: { mcastInterface: eth2, syncid: 7 }
      vips: [${vip}]
      services:
        - port: 80
          scheduler: wrr
          health: { interval: 3, rise: 1, fall: 2, check: { type: tcp } }
      realServers:
        - { name: one, address: 192.168.0.222, connection: { host: rs2 }, weight: 10 }
        - { name: two, address: 192.168.10.12, weight: 20 }
`;

const tableOf = async (host: HostName): Promise<string> => (await run(host, "ipvsadm -Sn")).stdout;

/** Waits until both tables are the same and have some text. */
const untilEqual = (...texts: string[]) =>
  until("equal tables", seconds, async () => {
    const [one, other] = [await tableOf("director"), await tableOf("rs1")];
    return one === other && texts.every((text) => one.includes(text)) ? true : undefined;
  });

const untilHeldBy = (by: HostName, among: readonly HostName[] = directors) =>
  until(`${vip} on ${by}`, seconds, async () => {
    for (const host of [by, ...among.filter((one) => one !== by)])
      await waitOn(host, `${host === by ? "" : "! "}ip -o addr show dev eth1 | grep -qF ' ${vip}/'`, seconds);
    const lists = await Promise.all(among.map((host) => run(host, "ip -o addr show dev eth1")));
    const have = among.filter((_, i) => lists[i]?.stdout.includes(` ${vip}/`));
    return have.length === 1 && have[0] === by ? true : undefined;
  });

const untilItHasConnections = (host: HostName) =>
  waitOn(host, `[ "$(ipvsadm -Lnc | grep -c 'ESTABLISHED.*${vip}:80')" -ge ${held} ]`, seconds);

onLab("a cluster with two directors", () => {
  const keep = disposing();
  let stack: Stack;
  let clean: States;

  it("is made on both, with equal tables, and the first one has the VIP", async () => {
    // an entry of the table loads it, and it stays
    for (const host of directors) await run(host, "modprobe ip_vs");
    clean = await statesOf([...directors, "rs2"]);
    stack = keep(await Stack.ofEnvironment("two-directors", { configuration }));
    await stack.up();
    await untilHeldBy("director");
    await untilEqual("-r 192.168.0.222:80 -g -w 10", "-r 192.168.10.12:80 -g -w 20");
    expect(await ask(`http://${vip}/`, 6)).toEqual({ rs2: 6 });
  });

  it("changes all weights under load without a failed request, on both", async () => {
    const load = await underLoad(vip, async () => {
      await stack.edit("weight: 10", "weight: 30");
      await stack.edit("weight: 20", "weight: 5");
      await stack.up();
    });
    expect(load.failures).toEqual([]);
    expect(load.requests).toBeGreaterThan(100);
    await untilEqual("-r 192.168.0.222:80 -g -w 30", "-r 192.168.10.12:80 -g -w 5");
  });

  it("keeps connections when the master loses its power, and when it is back", async () => {
    const program = await readFile(join(import.meta.dirname, "takeover.py"), "utf8");
    await run(
      "client",
      `rm -f /tmp/takeover.stop /tmp/takeover.report
cat >/tmp/takeover.py <<'PROGRAM'
${program}
PROGRAM
nohup python3 /tmp/takeover.py ${vip} ${held} >/tmp/takeover.errors 2>&1 </dev/null &`,
    );
    await untilItHasConnections("rs1");
    await power("director", "off");
    await untilHeldBy("rs1", ["rs1"]);
    // what the client asks now comes to the second director
    expect((await ask(`http://${vip}/`, 3)).rs2).toBeGreaterThan(0);
    await power("director", "on");
    await waitForSsh("director", seconds);
    await untilHeldBy("director");
    await untilItHasConnections("director");
    await untilEqual("-w 30");
    expect((await ask(`http://${vip}/`, 3)).rs2).toBeGreaterThan(0);
    await run("client", "touch /tmp/takeover.stop");
    await waitOn("client", "[ -s /tmp/takeover.report ]", seconds);
    const report = (await run("client", "cat /tmp/takeover.report")).stdout;
    const words = Object.fromEntries(report.split("\n").map((line) => line.split(" ")));
    console.log(
      `two directors: ${words.gap} s at most without a new connection, ${words.new} new ones, ${report.match(/^held$/gm)?.length} of ${held} held`,
    );
    expect(report.match(/^lost .*$/gm)).toBeNull();
    expect(report.match(/^held$/gm)).toHaveLength(held);
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
    // the director that was off has no ip_vs any more
    const isOfModule = / modules: | sysctls: |director directorWide: - Timeout/;
    expect(differences(clean, after).filter((line) => !isOfModule.test(line))).toEqual([]);
  });
});
