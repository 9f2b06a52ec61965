import { expect, it } from "vitest";
import { type HostName, run } from "../support/machines/lab.mts";
import { answered, hold, letGo } from "./held.mts";
import { directors, untilHeld } from "./holders.mts";
import { differences, type States, statesOf, tableOf } from "./host-state.mts";
import { disposing, onLab, patience } from "./setup.mts";
import { Stack } from "./stack.mts";

const vip = "192.168.0.210";

/** LVS/DR with two directors. Both real servers are one machine by two addresses, and clients come to the first one. */
const configuration = `config:
  lvs:clusters:
    web:
      kind: dr
      directors:
        - { connection: { host: director }, interface: eth1 }
        - { connection: { host: rs1 } }
      vrrp: { routerId: 61, preemptDelay: 5 }
      sync: { mcastInterface: eth2, syncid: 7 }
      vips: [${vip}]
      drain: { timeout: 600 }
      services: [{ port: 80 }]
      realServers:
        - { name: leaving, address: 192.168.10.12, weight: 10 }
        - { name: staying, address: 192.168.0.222, connection: { host: rs2 }, weight: 0 }
`;

/** The line as the CLI writes it. */
const leaving = "        - {name: leaving, address: 192.168.10.12, weight: 10}\n";

const drainingOn = async (host: HostName): Promise<string> =>
  (await run(host, "cat /run/pulumi-lvs/draining", { allowFailure: true })).stdout;

/** Waits until a director knows the connection of the request that is held, to the server that leaves. */
const untilKnown = (host: HostName) =>
  expect
    .poll(async () => (await run(host, "ipvsadm -Lnc")).stdout, patience)
    .toMatch(/ ESTABLISHED .* 192\.168\.10\.12:80/);

onLab("draining with two directors", () => {
  const keep = disposing();
  let stack: Stack;
  let clean: States;

  it("starts from a request that both directors know", async () => {
    for (const host of directors) await run(host, "modprobe -a ip_vs ip_vs_wlc");
    clean = await statesOf([...directors, "rs2"]);
    stack = keep(await Stack.ofEnvironment("drain-directors", { configuration }));
    await stack.up();
    await untilHeld(vip, "director");
    await hold(vip);
    for (const host of directors) await untilKnown(host);
  });

  it("to weight 0 keeps the entry on both, so the request goes on when the VIP moves meanwhile", async () => {
    await stack.edit("weight: 0", "weight: 20");
    await stack.edit("weight: 10", "weight: 0");
    const up = stack.up();
    await expect.poll(() => drainingOn("director"), patience).toContain("192.168.10.12:80");
    await run("director", "systemctl stop keepalived");
    await untilHeld(vip, "rs1");
    expect(await up).toMatch(/director: 192\.168\.10\.12:80 of \S+ still has 1 connection after \d+ s/);
    for (const host of directors) expect(await tableOf(host)).toContain("-r 192.168.10.12:80 -g -w 0");
    await untilKnown("rs1");
    await letGo();
    await expect.poll(answered, patience).toMatch(/200 OK[\s\S]*ended/);
    await run("director", "systemctl start keepalived");
    await untilHeld(vip, "director");
  });

  /** Removes the server that all clients come to, while it has a connection and the VIP moves. */
  const removed = async () => {
    await stack.up();
    await hold(vip);
    for (const host of directors) await untilKnown(host);
    await stack.edit("weight: 0", "weight: 20");
    await stack.edit(leaving, "");
    const up = stack.up();
    for (const host of directors)
      await expect.poll(() => drainingOn(host), patience).toContain("192.168.10.12:80");
    await run("director", "systemctl stop keepalived");
    await untilHeld(vip, "rs1");
    for (const host of directors) expect(await tableOf(host)).toContain("-r 192.168.10.12:80 -g -w 0");
    await letGo();
    await expect.poll(answered, patience).toMatch(/200 OK[\s\S]*ended/);
    const printed = await up;
    for (const host of directors) {
      expect(printed).toMatch(new RegExp(`${host}: 192\\.168\\.10\\.12:80 of \\S+ drained in \\d+ s`));
      expect(await tableOf(host)).not.toContain("192.168.10.12:80");
    }
    await run("director", "systemctl start keepalived");
    await untilHeld(vip, "director");
  };

  it("before a removal keeps the entry on both, until neither director knows a connection", async () => {
    await stack.edit("weight: 0", "weight: 10");
    await stack.edit("weight: 20", "weight: 0");
    await removed();
  });

  it("before a removal from a pool keeps the entry on both, too", async () => {
    await stack.edit("kind: dr", "kind: dr\n      pool: true");
    await stack.edit("realServers:\n", `realServers:\n${leaving}`);
    await stack.edit("weight: 20", "weight: 0");
    await removed();
    expect(await stack.up("--refresh", "--expect-no-changes")).toMatch(/unchanged/);
  });

  it("leaves no trace", async () => {
    await stack.destroy();
    expect(differences(clean, await statesOf([...directors, "rs2"]))).toEqual([]);
  });
});
