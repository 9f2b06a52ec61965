import { expect, it } from "vitest";
import { power, run, waitForSsh } from "../support/machines/lab.mts";
import { directors, untilHeld, withoutTakeover } from "./holders.mts";
import { differences, type States, statesOf, tableOf } from "./host-state.mts";
import { underLoad } from "./load.mts";
import { arm, cut, goOn, mend, reached } from "./on-host.mts";
import { separateServer } from "./separate.mts";
import { ask, disposing, onLab, patience } from "./setup.mts";
import { Stack } from "./stack.mts";

const vip = "192.168.0.210";

/** LVS/DR with two directors. The real servers know nothing of each other's connections. */
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
        - { name: two, address: 192.168.0.231, weight: 20 }
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
    await separateServer("web1", "192.168.0.231", vip);
    await separateServer("web2", "192.168.0.232", vip);
    clean = await statesOf([...directors, "rs2"]);
    stack = keep(await Stack.ofEnvironment("two-directors", { configuration }));
    await stack.up();
    await untilHeld(vip, "director");
    await untilEqual("-r 192.168.0.222:80 -g -w 10", "-r 192.168.0.231:80 -g -w 20");
    await expect
      .poll(async () => Object.keys(await ask(`http://${vip}/`, 50)).sort(), patience)
      .toEqual(["rs2", "web1"]);
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
          "two, address: 192.168.0.231, weight: 20",
          "three, address: 192.168.0.232, weight: 15",
        );
        await stack.edit("tcp: 800", "tcp: 900");
        // The default is another one. Both are right, so a second try takes the first one again.
        let [interval, next] = [", advertInterval: 1", ""];
        await withoutTakeover("eth1-61", async () => {
          await stack.edit(`preemptDelay: 5${interval}`, `preemptDelay: 5${next}`);
          [interval, next] = [next, interval];
          await stack.up();
        });
        await untilEqual("-r 192.168.0.222:80 -g -w 30", "-r 192.168.0.232:80 -g -w 15");
        for (const host of directors) {
          expect(await tableOf(host)).not.toContain("192.168.0.231");
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
      // not many more: each costs the machines 3 ms of a processor
      { least: 10_000, pause: 0.03 },
    );
    console.log(
      `changes and reboots of two directors: ${load.requests} requests, ${load.failures.length} failed, ${JSON.stringify(load.servers)}, longest ${load.latency?.most} s`,
    );
    expect(load.failures).toEqual([]);
    // A client repeats what was lost, so a move that waits for preemptDelay takes longer and does not fail.
    expect(load.latency?.most).toBeLessThan(4);
    expect(Object.keys(load.servers).sort()).toEqual(["rs2", "web1", "web2"]);
    expect(load.requests).toBeGreaterThanOrEqual(10_000);
    for (const [i, id] of (await bootIds()).entries()) expect(id).not.toBe(before[i]);
    await untilHeld(vip, "director");
    await untilEqual("-w 30");
  });

  /** Runs `npx pulumi-lvs` without a question. Returns its exit code and output. */
  const answer = async (...args: string[]) => {
    const { code, text } = await stack.pulumiLvs([...args, "--stack", "two-directors"]);
    return [code, text] as const;
  };

  /** A check that is late takes a server out for a moment, on one director first. */
  const untilLevel = () =>
    expect.poll(() => answer("status", "web"), patience).toEqual([0, expect.anything()]);

  it("runs a rolling command on both, and stops where it fails, and that director is held", async () => {
    await lvs("rolling", "--", "echo upgraded >>/tmp/rolled");
    for (const host of directors)
      expect((await run(host, "cat /tmp/rolled; rm /tmp/rolled")).stdout).toBe("upgraded\n");
    expect(await answer("rolling", "web", "--", "echo tried >>/tmp/rolled; exit 3")).toEqual([
      16,
      expect.stringContaining("rs1"),
    ]);
    const { stdout } = await run("director", "cat /tmp/rolled", { allowFailure: true });
    expect(stdout).toBe("");
    expect((await run("rs1", "cat /tmp/rolled; rm /tmp/rolled")).stdout).toBe("tried\n");
    await untilHeld(vip, "director");
    await lvs("failover", "--back");
  });

  it("has neither change if a command fails on the second one, or if that one loses its network", async () => {
    const former = [await tableOf("director"), await tableOf("rs1")];
    const tables = async () => [await tableOf("director"), await tableOf("rs1")];
    await stack.edit("weight: 30", "weight: 33");
    await arm("director", "fail", 0);
    const failed = await answer("up", "--yes", "--skip-preview");
    await mend("director");
    expect(failed).toEqual([10, expect.stringMatching(/RealServer web-director-\S+-one: cannot update /)]);
    await expect.poll(tables, patience).toEqual(former);

    await arm("director", "pause", 0);
    const updating = answer("up", "--yes", "--skip-preview");
    await reached("director");
    await cut("director");
    await goOn("director");
    const lost = await updating;
    await mend("director");
    expect(lost).toEqual([expect.toBeOneOf([10, 11]), expect.any(String)]);
    if (lost[0] === 11) expect(await answer("rollback")).toEqual([0, expect.any(String)]);
    await expect.poll(tables, patience).toEqual(former);
    await stack.edit("weight: 33", "weight: 30");
    await untilLevel();
  });

  it("shows what differs between both, until an update has mended it", async () => {
    await untilLevel();
    await run("rs1", `ipvsadm -e -t ${vip}:80 -r 192.168.0.222:80 -g -w 7`);
    expect(await answer("status", "web")).toEqual([
      17,
      expect.stringMatching(/192\.168\.0\.222:80: weight is 30 on director, 7 on rs1/),
    ]);
    await stack.up("--refresh");
    await untilLevel();
  });

  it("is not changed while one has no power, unless that is allowed, and is level when it is back", async () => {
    await power("rs1", "off");
    const before = await tableOf("director");
    await stack.edit("weight: 30", "weight: 40");
    expect(await answer("up", "--yes", "--skip-preview")).toEqual([
      14,
      expect.stringMatching(/rs1 does not answer: .* Nothing was changed/),
    ]);
    expect(await tableOf("director")).toBe(before);
    await stack.edit("kind: dr", "kind: dr\n      allowDown: true");
    expect(await answer("up", "--yes", "--skip-preview")).toEqual([
      0,
      expect.stringContaining("rs1 does not answer, and is left out"),
    ]);
    await expect.poll(() => tableOf("director"), patience).toContain("-r 192.168.0.222:80 -g -w 40");
    await power("rs1", "on");
    await waitForSsh("rs1", patience.timeout / 1000);
    expect(await answer("up", "--yes", "--skip-preview")).toEqual([0, expect.anything()]);
    await untilEqual("-r 192.168.0.222:80 -g -w 40");
    await untilLevel();
  });

  it("has the VIP on the other one when the stack prefers that", async () => {
    for (const [from, to] of [
      ["host: director", "host: other"],
      ["host: rs1", "host: director"],
      ["host: other", "host: rs1"],
    ] as const)
      await stack.edit(from, to);
    expect(await stack.up()).not.toMatch(/replac/);
    await untilHeld(vip, "rs1");
    await expect
      .poll(async () => Object.keys(await ask(`http://${vip}/`, 50)).sort(), patience)
      .toEqual(["rs2", "web2"]);
  });

  it("shows which director has the VIP, and goes without a trace", async () => {
    expect(await stack.up("--refresh", "--expect-no-changes")).toMatch(/unchanged/);
    const states = (await stack.resources()).filter(({ type }) => type.endsWith(":VrrpInstance"));
    expect(states.map(({ id, outputs }) => `${id} ${outputs.state}`).sort()).toEqual([
      "director/vrrp/eth1/61 backup",
      "rs1/vrrp/eth1/61 master",
    ]);
    await stack.destroy();
    const after = await statesOf([...directors, "rs2"]);
    // directors have rebooted, and have no ip_vs and no nf_conntrack any more
    const isOfModule =
      /^(director|rs1) (modules: |sysctls: - net\.(ipv4\.vs\.|netfilter\.nf_conntrack_|nf_conntrack_max)|directorWide: - Timeout)/;
    expect(differences(clean, after).filter((line) => !isOfModule.test(line))).toEqual([]);
  });
});
