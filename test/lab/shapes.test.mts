import { expect, it } from "vitest";
import { type HostName, run } from "../support/machines/lab.mts";
import { differences, type States, statesOf } from "./host-state.mts";
import { underLoad } from "./load.mts";
import { ask, disposing, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";

const vip = "192.168.0.210";
const hosts = ["director", "rs1", "rs2"] as const;
const table = async () => (await run("director", "ipvsadm -Sn")).stdout.trim().split("\n");

/** The real servers, and what is common to clusters on these machines. */
const head = `
const director = { connection: { host: "director" }, interface: "eth1" };
const realServers = [1, 2].map((n) => ({
  name: "rs" + n, address: "192.168.0.22" + n, address6: "fd00:1::22" + n, connection: { host: "rs" + n },
}));
`;

onLab("a VIP of two clusters of one stack", () => {
  const keep = disposing();
  let stack: Stack;
  let clean: States;

  type Weights = readonly [number | undefined, number];
  // A client of so many requests uses its ports again, hence the sysctl: see docs/drain.md.
  const web = ([one, two]: Weights) => `
new lvs.DrCluster("web", { vips: ["${vip}"], realServers,
  director: { ...director, sysctls: { "net.ipv4.vs.expire_nodest_conn": 1 } },
  services: [{ port: 80, scheduler: "wrr", drain: { timeout: 60, minimum: 2 },
    members: { rs1: ${one === undefined ? null : `{ weight: ${one} }`}, rs2: { weight: ${two} } } }],
});`;
  const admin = (members: string) => `
new lvs.DrCluster("admin", { director, vips: ["${vip}"], realServers,
  services: [{ port: 8080, scheduler: "wrr", members: ${members} }],
});`;
  const becomes = async (...clusters: string[]) => {
    await stack.program(head + clusters.join(""));
    await stack.up();
  };
  const entries = (port: number, weights: Weights) => [
    `-A -t ${vip}:${port} -s wrr`,
    ...weights.flatMap((weight, i) =>
      weight === undefined ? [] : [`-a -t ${vip}:${port} -r 192.168.0.22${i + 1}:${port} -g -w ${weight}`],
    ),
  ];

  it("has a pool for each, and a member may be out of one service only", async () => {
    clean = await statesOf(hosts);
    stack = keep(await Stack.ofProgram(""));
    await becomes(web([1, 1]), admin("{ rs1: null }"));
    expect(await table()).toEqual([...entries(80, [1, 1]), ...entries(8080, [undefined, 1])]);
    expect(await ask(`http://${vip}/`, 20)).toEqual({ rs1: 10, rs2: 10 });
    expect(await ask(`http://${vip}:8080/`, 10)).toEqual({ rs2: 10 });
    for (const host of hosts)
      expect((await run(host, "ip -o addr show")).stdout.match(/ 192\.168\.0\.210\/32 /g)).toHaveLength(1);
  });

  it("answers 10,000 requests while a member of one service gets other weights, goes and comes again", async () => {
    const fast = { least: 10_000, pause: 0.01 };
    const load = await underLoad(
      vip,
      async () => {
        for (const weights of [
          [7, 1],
          [0, 1],
          [undefined, 1],
          [1, 3],
        ] as const) {
          await becomes(web(weights), admin("{ rs1: null }"));
          expect((await table()).sort()).toEqual(
            [...entries(80, weights), ...entries(8080, [undefined, 1])].sort(),
          );
        }
      },
      fast,
    );
    console.log(`weights: ${JSON.stringify({ ...load, failures: load.failures.length })}`);
    expect(load.failures).toEqual([]);
    expect(load.requests).toBeGreaterThanOrEqual(10_000);
    // Not by weight: the director remembers the servers of ports that are used again.
    expect(Object.keys(load.servers)).toEqual(["rs1", "rs2"]);
  });

  it("stays for the second cluster when the first goes, and loses none of its requests", async () => {
    const work = () => becomes(admin("{ rs1: null }"));
    const load = await underLoad(`${vip} 8080`, work, { least: 500 });
    console.log(`one of two clusters goes: ${load.requests} requests`);
    expect(load.failures).toEqual([]);
    expect(load.requests).toBeGreaterThanOrEqual(500);
    expect(await table()).toEqual(entries(8080, [undefined, 1]));
    expect(await ask(`http://${vip}:8080/`, 4)).toEqual({ rs2: 4 });
  });

  it("goes with the last cluster, without trace", async () => {
    await stack.destroy();
    expect(differences(clean, await statesOf(hosts))).toEqual([]);
  });
});

onLab("a cluster with an IPv4 and an IPv6 VIP", () => {
  const keep = disposing();
  const vip6 = "fd00:1::210";
  let stack: Stack;
  let clean: States;

  it("has both in the table, with the members' addresses of each family", async () => {
    const own: Record<HostName, string> = { client: "100", director: "200", rs1: "221", rs2: "222" };
    for (const [host, last] of Object.entries(own))
      await run(host as HostName, `ip addr add fd00:1::${last}/64 dev eth1 nodad`);
    clean = await statesOf(hosts);
    stack = keep(
      await Stack.ofProgram(`${head}
new lvs.DrCluster("web", { director, vips: ["${vip}", "${vip6}"], services: [{ port: 80, scheduler: "rr" }], realServers });`),
    );
    await stack.up();
    expect(await table()).toEqual([
      `-A -t ${vip}:80 -s rr`,
      ...[1, 2].map((n) => `-a -t ${vip}:80 -r 192.168.0.22${n}:80 -g -w 1`),
      `-A -t [${vip6}]:80 -s rr`,
      ...[1, 2].map((n) => `-a -t [${vip6}]:80 -r [fd00:1::22${n}]:80 -g -w 1`),
    ]);
  });

  it("answers over both, and under load too", async () => {
    expect(await ask(`http://${vip}/`, 30)).toEqual({ rs1: 15, rs2: 15 });
    expect(await ask(`http://[${vip6}]/`, 30)).toEqual({ rs1: 15, rs2: 15 });
    for (const address of [vip, vip6]) {
      const load = await underLoad(address, async () => {}, { least: 500 });
      console.log(`${address}: ${load.requests} requests`);
      expect(load.failures).toEqual([]);
      expect(load.requests).toBeGreaterThanOrEqual(500);
    }
  });

  it("goes without trace", async () => {
    await stack.destroy();
    expect(differences(clean, await statesOf(hosts))).toEqual([]);
  });
});

onLab("VIPs on other interfaces", () => {
  const keep = disposing();
  const [onDummy, onVlan] = ["10.99.0.1", "10.10.0.210"];
  let stack: Stack;
  let clean: States;

  it("are a dummy, which is not announced, and a VLAN with a dot in its name", async () => {
    await run("director", "ip link add dummy0 type dummy; ip link set dummy0 up");
    await run("client", `ip route add ${onDummy} via 192.168.0.200`);
    // The lab's Ethernets carry no tags, so the VLAN's client is in a network namespace of the director.
    await run(
      "director",
      `set -e
ip netns add lab; ip link add v0 type veth peer name v1 netns lab
ip link add link v0 name v0.10 type vlan id 10; ip addr add 10.10.0.200/24 dev v0.10
ip -n lab link add link v1 name v1.10 type vlan id 10; ip -n lab addr add 10.10.0.100/24 dev v1.10
for link in v0 v0.10; do ip link set $link addrgenmode none; ip link set $link up; done
for link in v1 v1.10; do ip -n lab link set $link up; done`,
    );
    clean = await statesOf(hosts);
    stack = keep(
      await Stack.ofProgram(`${head}
const connection = director.connection;
const services = [{ port: 80, scheduler: "rr" }];
new lvs.DrCluster("dummy", { director: { connection, interface: "dummy0" }, vips: ["${onDummy}"], services, realServers });
new lvs.NatCluster("vlan", {
  director: { connection, interface: "v0.10", insideInterface: "eth2", dip: "192.168.10.10",
    sysctls: { "net.ipv4.conf.v0.10.log_martians": 1 } },
  vips: ["${onVlan}"], services, returnRoutes: ["10.10.0.100"],
  realServers: [1, 2].map((n) => ({ name: "rs" + n, address: "192.168.10.1" + n, connection: { host: "rs" + n } })),
});`),
    );
    await stack.up();
    const vips = (await stack.resources()).filter(({ outputs }) => outputs?.interface !== "lo");
    const said = vips.filter(({ type }) => type.endsWith(":VirtualAddress"));
    expect(
      Object.fromEntries(said.map(({ outputs }) => [outputs.interface, outputs.unannounced ?? "announced"])),
    ).toEqual({ dummy0: "dummy0 does no ARP (NOARP)", "v0.10": "announced" });
    const { stdout } = await run(
      "director",
      "ip -o addr show; cd /proc/sys/net/ipv4/conf/v0.10; cat log_martians send_redirects",
    );
    expect(stdout).toMatch(/: dummy0 +inet 10\.99\.0\.1\/32 /);
    expect(stdout).toMatch(/: v0\.10 +inet 10\.10\.0\.210\/32 [\s\S]*\n1\n0\n$/);
  });

  it("serve a client with a route to the one, and a client in the other's VLAN", async () => {
    expect(await ask(`http://${onDummy}/`, 20)).toEqual({ rs1: 10, rs2: 10 });
    const requests = `for i in $(seq 20); do ip netns exec lab curl -s -m 3 http://${onVlan}/; done | sort | uniq -c`;
    expect((await run("director", requests)).stdout.trim().split(/\s+/)).toEqual(["10", "rs1", "10", "rs2"]);
  });

  it("go without trace", async () => {
    await stack.destroy();
    expect(differences(clean, await statesOf(hosts))).toEqual([]);
  });
});
