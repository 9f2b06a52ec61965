import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type HostName, reboot, run } from "../support/machines/lab.mts";
import { addressed } from "./addressed.mts";
import { answered, hold, letGo } from "./held.mts";
import { differences, type States, statesOf, tableOf } from "./host-state.mts";
import { restored } from "./restored.mts";
import { ask, disposing, onLab, patience } from "./setup.mts";
import { Stack } from "./stack.mts";

const macOf = async (host: HostName) => (await run(host, "cat /sys/class/net/eth1/address")).stdout.trim();
const neighbour = async (address: string) =>
  (await run("client", `ip -6 neigh show ${address}`)).stdout.trim();
const vip = "fd00:77::210";

/** The neighbour advertisements that the client hears from a host about an address while something is done. */
async function advertised(host: HostName, address: string, work: () => Promise<unknown>): Promise<string[]> {
  const filter = `icmp6 and ip6[40] == 136 and ether src ${await macOf(host)} and dst ff02::1`;
  await run(
    "client",
    `rm -f /tmp/nd; nohup tcpdump -i eth1 -n -v -l '${filter}' >/tmp/nd 2>/tmp/nd.errors </dev/null & echo $! >/tmp/nd.pid
n=0; until grep -q listening /tmp/nd.errors 2>/dev/null; do n=$((n + 1)); [ $n -lt 3000 ] || exit 1; sleep 0.1; done`,
  );
  try {
    await work();
    await expect
      .poll(async () => (await run("client", `grep -c 'tgt is ${address}' /tmp/nd || :`)).stdout, patience)
      .toBe("5\n");
  } finally {
    await run("client", "kill $(cat /tmp/nd.pid)", { allowFailure: true });
  }
  return (await run("client", "cat /tmp/nd")).stdout.split("\n").filter((line) => line.includes(address));
}

const placed = (host: HostName, more = "") => `
new lvs.VirtualAddress("vip", { connection: { host: "${host}" }, interface: "eth1", address: "${vip}"${more} });
`;

onLab("neighbours of an IPv6 VIP", () => {
  const keep = disposing();
  let stack: Stack;

  it("are told five times of a VIP that appears, with the flag that overrides what they know", async () => {
    await addressed();
    stack = keep(await Stack.ofProgram(placed("director")));
    const told = await advertised("director", vip, () => stack.up());
    for (const line of told) expect(line).toMatch(/Flags \[override\]/);
    await stack.refresh("--expect-no-changes");
  }, 900_000);

  it("learn at once that it has moved to another host, which has python3 and no perl", async () => {
    await run("client", `ping -c 1 -W 5 ${vip} >/dev/null`);
    expect(await neighbour(vip)).toContain(await macOf("director"));
    await run("rs1", "mv /usr/bin/perl /usr/bin/perl.away");
    await stack.program(placed("rs1"));
    await advertised("rs1", vip, () => stack.up());
    // the client has sent nothing to it since
    expect(await neighbour(vip)).toContain(await macOf("rs1"));
    await run("client", `ping -c 1 -W 5 ${vip} >/dev/null`);
  }, 900_000);

  it("are not told where no program can, and the error says what to do", async () => {
    await run("rs2", "mv /usr/bin/perl /usr/bin/perl.away; mv /usr/bin/python3 /usr/bin/python3.away");
    await stack.program(placed("rs2"));
    const { code, text } = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(code, text).not.toBe(0);
    expect(text).toMatch(
      /no program there can send .*; install perl or python3 there if neither is, or set announce: false/,
    );
    expect((await run("rs2", "ip -6 addr show dev eth1")).stdout).not.toContain(vip);
    await run("rs2", "mv /usr/bin/perl.away /usr/bin/perl; mv /usr/bin/python3.away /usr/bin/python3");
    await run("rs1", "mv /usr/bin/perl.away /usr/bin/perl");
  });

  it("defend it: an address that another machine has is no VIP, and the error says what to do", async () => {
    // the failed move to another host has deleted the old one first
    await run("director", `ip addr add ${vip}/128 dev eth1 nodad`);
    await run("rs2", `ip addr add ${vip}/128 dev eth1`);
    await expect
      .poll(async () => (await run("rs2", `ip -o -6 addr show dev eth1 to ${vip}`)).stdout, patience)
      .toContain("dadfailed");
    const { code, text } = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(code, text).not.toBe(0);
    expect(text).toMatch(/another machine has fd00:77::210 too: .*ip addr del fd00:77::210\/128 dev eth1/);
    for (const host of ["director", "rs2"] as const) await run(host, `ip addr del ${vip}/128 dev eth1`);
    await stack.up();
    expect((await run("rs2", "ip -o -6 addr show dev eth1")).stdout).toMatch(/77::210\/128 .*deprecated/);
    await stack.destroy();
  });
});

onLab("an alternative name of an interface", () => {
  const keep = disposing();

  it("stands for it in a VIP and a route, which are announced, found again and deleted", async () => {
    await addressed();
    await run("director", "ip link property add dev eth1 altname wan0");
    const clean = await statesOf(["director"]);
    const stack = keep(
      await Stack.ofProgram(`
const connection = { host: "director" };
for (const address of ["${vip}", "192.168.0.210"]) {
  const vip = new lvs.VirtualAddress(address, { connection, interface: "wan0", address });
  new lvs.HostRoute(address + "-route", { connection, destination: vip.address, device: "wan0" });
}
`),
    );
    await advertised("director", vip, () => stack.up());
    expect((await run("director", "ip -o addr show dev eth1")).stdout).toMatch(
      /192\.168\.0\.210\/32[\s\S]*77::210\/128/,
    );
    await stack.refresh("--expect-no-changes");
    await stack.program(placed("director", ", announce: false").replace("eth1", "wan1"));
    const { text } = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(text).toMatch(
      /it has no interface wan1; name one of its interfaces: lo, eth0, eth1 or wan0, eth2/,
    );
    await stack.destroy();
    expect(differences(clean, await statesOf(["director"]))).toEqual([]);
  });
});

const dr = (share: string, more = "") => `config:
  lvs:clusters:
    six:
      kind: dr
      director: { connection: { host: director }, interface: eth1 }
      vips: ["${vip}"]
      drain: { timeout: 600, minimum: 1 }
      services:
        - port: 80
          scheduler: wrr
          health: { interval: 3, rise: 1, fall: 1, check: { path: /, body: "" } }
      realServers:
        - { name: rs1, address: "fd00:77::221", weight: 1, connection: { host: rs1 } }
        - { name: rs2, address: "fd00:77::222", weight: 2, connection: { host: rs2 } }${share}
      probe: { from: { host: client }, servers: 2, requests: 10, within: 60${more} }
`;

const flags = ["--stack", "six", "--yes", "--skip-preview", "--non-interactive", "--color", "never"];
const url = `http://[${vip}]/`;

onLab("an LVS/DR cluster of an IPv6 VIP", () => {
  const keep = disposing();
  const machines = ["director", "rs1", "rs2"] as const;
  let stack: Stack;
  let clean: States;
  let before: States;

  it("serves by weight, through the director only, and its probe passes", async () => {
    await addressed();
    clean = await statesOf(machines);
    stack = keep(await Stack.ofEnvironment("six", { configuration: dr("") }));
    stack.environment({ PULUMI_HOME: join(stack.folder, ".pulumi-home") });
    const { code, text } = await stack.pulumiLvs(["up", ...flags]);
    expect(code, text).toBe(0);
    expect(await ask(url, 30)).toEqual({ rs1: 10, rs2: 20 });
    await run("client", `ip -6 neigh flush dev eth1; ping -c 1 -W 5 ${vip} >/dev/null`);
    expect(await neighbour(vip)).toContain(await macOf("director"));
    before = await statesOf(machines);
  });

  it("is rolled back when its probe fails", async () => {
    await stack.edit("within: 60", "within: 1, contains: rs3");
    const { code, text } = await stack.pulumiLvs(["up", ...flags]);
    expect(code, text).toBe(10);
    expect(text).toMatch(
      /probe\/http:\/\/\[fd00:77::210\]\/ failed on client: .*does not contain "rs3".*real server \[fd00:77::22[12]\]:80/,
    );
    expect(differences(before, await statesOf(machines))).toEqual([]);
    await stack.edit("within: 1, contains: rs3", "within: 60");
  });

  it("removes a server that fails, and adds it again", async () => {
    await run("rs2", "systemctl stop nginx");
    const table = () => tableOf("director");
    await expect.poll(table, patience).not.toContain("fd00:77::222");
    expect(await ask(url, 4)).toEqual({ rs1: 4 });
    await run("rs2", "systemctl start nginx");
    await expect.poll(table, patience).toContain("fd00:77::222");
  });

  it("is restored after a reboot of all its machines", async () => {
    await Promise.all(machines.map((host) => reboot(host)));
    await Promise.all(machines.map(restored));
    await expect.poll(async () => Object.keys(await ask(url, 6)).sort(), patience).toEqual(["rs1", "rs2"]);
    expect(await stack.preview("--refresh", "--expect-no-changes")).toMatch(/unchanged/);
  });

  it("lets a server that leaves end its request", async () => {
    await run("director", "ipvsadm -e -t '[fd00:77::210]:80' -r '[fd00:77::221]:80' -g -w 0");
    await hold(vip);
    await expect
      .poll(async () => (await run("director", "ipvsadm -Ln")).stdout, patience)
      .toMatch(/fd00:77::222\]:80 +Route +\d+ +1 /);
    await run("director", "ipvsadm -e -t '[fd00:77::210]:80' -r '[fd00:77::221]:80' -g -w 1");
    // the CLI has written the file anew, with line breaks of its own
    const file = join(stack.folder, "Pulumi.six.yaml");
    const text = await readFile(file, "utf8");
    const without = text.replace(/\n *-\s*\{\s*name:\s*rs2,[^}]*\}[^}]*\}/, "");
    expect(without).not.toContain("fd00:77::222");
    await writeFile(file, without);
    await stack.edit("servers: 2", "servers: 1");
    const up = stack.up();
    const draining = () => run("director", "cat /run/pulumi-lvs/draining", { allowFailure: true });
    await expect.poll(async () => (await draining()).stdout, patience).toContain("[fd00:77::222]:80");
    expect(await ask(url, 4)).toEqual({ rs1: 4 });
    await letGo();
    expect(await up).toMatch(/\[fd00:77::222\]:80 of tcp:\/\/\[fd00:77::210\]:80 drained in \d+ s/);
    expect(await answered()).toMatch(/200 OK[\s\S]*rs2/);
  });

  it("is destroyed without trace", async () => {
    await stack.destroy();
    const left = differences(clean, await statesOf(machines));
    // the boot has set the hosts' own addresses otherwise
    expect(left.filter((line) => / ipvs: /.test(line) || line.includes(vip))).toEqual([]);
  });
});

onLab("an LVS/NAT cluster of an IPv6 VIP", () => {
  const keep = disposing();

  it("serves, and is destroyed without trace", async () => {
    await addressed();
    const machines = ["director", "rs1", "rs2"] as const;
    const clean = await statesOf(machines);
    const configuration = `config:
  lvs:clusters:
    six:
      kind: nat
      director: { connection: { host: director }, interface: eth1, insideInterface: eth2, dip: "fd00:88::10" }
      vips: ["fd00:77::219"]
      services: [{ port: 80, scheduler: rr, realServerPort: 8080 }]
      realServers:
        - { name: rs1, address: "fd00:88::11", connection: { host: rs1 } }
        - { name: rs2, address: "fd00:88::12", connection: { host: rs2 } }
      returnRoutes: ["fd00:77::100"]
      probe: { from: { host: client }, servers: 2, requests: 10, within: 60 }
`;
    const stack = keep(await Stack.ofEnvironment("six", { configuration }));
    await stack.up();
    expect(await ask("http://[fd00:77::219]/", 30)).toEqual({ rs1: 15, rs2: 15 });
    await stack.refresh("--expect-no-changes");
    await stack.destroy();
    expect(differences(clean, await statesOf(machines))).toEqual([]);
  });
});
