import { expect, it } from "vitest";
import { reboot, run } from "../support/machines/lab.mts";
import { differences, type States, statesOf } from "./host-state.mts";
import { underLoad } from "./load.mts";
import { lost, restored, served } from "./restored.mts";
import { ask, disposing, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";

const vip = "192.168.0.210";
const hosts = ["director", "rs1", "rs2"] as const;

/** A cluster at the one VIP, on the same machines. One of a stack is called web, as the other stack's is. */
const program = (port: number, more = "") => `
new lvs.DrCluster("web", {
  director: { connection: { host: "director" }, interface: "eth1" },
  vips: [{ address: "${vip}", shared: true }],
  services: [{ port: ${port}, scheduler: "rr", ${more} }],
  realServers: [1, 2].map((n) => ({ name: "rs" + n, address: "192.168.0.22" + n, connection: { host: "rs" + n } })),
});`;

const lines = async (host: (typeof hosts)[number], command: string) =>
  (await run(host, command)).stdout.trim().split("\n").filter(Boolean);
/** How often each host has the VIP, and a route to it. */
const places = () =>
  Promise.all(
    hosts.map(async (host) => [
      (await lines(host, "ip -o addr show")).filter((line) => line.includes(` ${vip}/32 `)).length,
      (await lines(host, "ip route show table main")).filter((line) => line.startsWith(`${vip} `)).length,
    ]),
  );
const once = [
  [1, 1],
  [1, 1],
  [1, 1],
];
const entries = (port: number, ...servers: number[]) => [
  `-A -t ${vip}:${port} -s rr`,
  ...servers.map((n) => `-a -t ${vip}:${port} -r 192.168.0.22${n}:${port} -g -w 1`),
];
const silence = ["all", "lo"]
  .flatMap((of) => ["ignore", "announce"].map((leaf) => `net.ipv4.conf.${of}.arp_${leaf}`))
  .join(" ");
const table = () => lines("director", "ipvsadm -Sn");
/** Owners of the VIP's address and route on the director. */
const owners = async () =>
  (
    await lines(
      "director",
      "awk -F '\\t' '$3 ~ /^(VirtualAddress|HostRoute) / { print $4 }' /etc/pulumi-lvs/boot",
    )
  )
    .map((owner) => owner.split("/")[1])
    .sort();

onLab("a VIP of two stacks", () => {
  const keep = disposing();
  let shop: Stack;
  let blog: Stack;
  let clean: States;

  it("is on each host once, and each stack's pool answers at its port", async () => {
    clean = await statesOf(hosts);
    shop = keep(await Stack.ofProgram(program(80), {}, "shop"));
    blog = keep(await Stack.ofProgram(program(8080, "members: { rs1: null }"), {}, "blog"));
    await shop.up();
    await blog.up();
    expect(await places()).toEqual(once);
    expect(await owners()).toEqual(["blog", "blog", "shop", "shop"]);
    expect(await table()).toEqual([...entries(80, 1, 2), ...entries(8080, 2)]);
    expect(await ask(`http://${vip}/`, 10)).toEqual({ rs1: 5, rs2: 5 });
    expect(await ask(`http://${vip}:8080/`, 10)).toEqual({ rs2: 10 });
  });

  it("shows each stack the other after a refresh, with all that they share, and changes nothing", async () => {
    for (const [one, other] of [
      [shop, "blog"],
      [blog, "shop"],
    ] as const) {
      await one.refresh();
      const all = (await one.resources()).filter(({ type }) => type.startsWith("pulumi-nodejs:dynamic/lvs:"));
      const shared = all.filter(({ type }) => !/:(VirtualService|RealServer)$/.test(type));
      expect(shared).toHaveLength(9);
      expect(shared.map(({ outputs }) => outputs.sharedWith)).toEqual(
        shared.map(({ urn }) => [`test/${other}/${urn.split("::").at(-1)}`]),
      );
      expect(await one.up("--expect-no-changes")).toMatch(/unchanged/);
    }
  });

  it("loses no request of one stack while the other, which made it, goes and comes again", async () => {
    const work = async () => {
      await shop.destroy();
      expect(await places()).toEqual(once);
      expect(await table()).toEqual(entries(8080, 2));
      expect(await owners()).toEqual(["blog", "blog"]);
      await shop.up();
    };
    const load = await underLoad(`${vip} 8080`, work, { least: 500 });
    console.log(
      `two stacks, one goes and comes: ${load.requests} requests, ${load.held} on held connections`,
    );
    expect(load.failures).toEqual([]);
    expect(load.requests).toBeGreaterThanOrEqual(500);
    expect(Object.keys(load.servers)).toEqual(["rs2"]);
    expect(await ask(`http://${vip}/`, 10)).toEqual({ rs1: 5, rs2: 5 });
  });

  it("is there once after a reboot of all hosts, with the pools of both", async () => {
    // from the first `up` on it hears of what becomes of the network
    await Promise.all(hosts.map(restored));
    const before = await statesOf(hosts);
    await Promise.all(hosts.map((host) => reboot(host)));
    await Promise.all(hosts.map(restored));
    const gone = lost(before, await statesOf(hosts));
    // when a file was written it does not tell
    expect(gone.filter((line) => !/^\S+ files: /.test(line))).toEqual([]);
    await served(`http://${vip}/`);
    expect(await ask(`http://${vip}:8080/`, 4)).toEqual({ rs2: 4 });
  });

  it("goes with the last stack, without trace", async () => {
    const load = await underLoad(vip, async () => {
      await blog.destroy();
    });
    expect(load.failures).toEqual([]);
    expect(await places()).toEqual(once);
    expect(await table()).toEqual(entries(80, 1, 2));
    await shop.destroy();
    // sysctls that a boot itself sets otherwise are no trace
    const left = differences(clean, await statesOf(hosts));
    expect(
      left.filter(
        (line) =>
          /^\S+ (ipvs|addresses|routes|files): /.test(line) &&
          (!/ files: /.test(line) || /pulumi/.test(line)),
      ),
    ).toEqual([]);
    for (const host of ["rs1", "rs2"] as const)
      expect(await lines(host, `sysctl -n ${silence}`)).toEqual(["0", "0", "0", "0"]);
  });
});
