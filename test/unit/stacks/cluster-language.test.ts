import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { DrCluster, NatCluster } from "../../../index.js";
import type { ClusterArgs } from "../../../stacks/cluster/args.js";
import { makeAll, mistakesOf, program, type Registered } from "../../support/fake/cluster-program.js";

const director = { connection: { host: "lb1" }, interface: "eth0" };
const dr = {
  director,
  vips: ["198.51.100.10"],
  services: [{ port: 80 }],
  realServers: [
    { name: "a", address: "198.51.100.21", connection: { host: "a" } },
    { name: "b", address: "198.51.100.22", connection: { host: "b" } },
  ],
} satisfies ClusterArgs;

const made = async (Kind: typeof DrCluster | typeof NatCluster, args: object) => {
  const { all, error, result } = await program(() => new Kind("web", args as never));
  if (error) throw error;
  const of = (type: string) => all.filter((one) => one.type === type);
  return { all, of, cluster: result as DrCluster };
};
const namesOf = (all: Registered[]) => all.map(({ name }) => name);
const inputsOf = (all: Registered[], name: string) => all.find((one) => one.name === name)?.inputs;
const known = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));

test("a service has the VIPs and real servers that it names, and others of its own", async () => {
  const pools = {
    ...dr,
    vips: [{ name: "front", address: "198.51.100.10" }, "198.51.100.11"],
    services: [
      { port: 80, vips: ["front"], realServers: ["b"] },
      {
        port: 25,
        vips: ["198.51.100.11"],
        realServers: [{ name: "mx", address: "198.51.100.31", connection: { host: "mx" } }],
      },
      { port: 443 },
    ],
  };
  expect(mistakesOf({ web: { kind: "dr", ...pools } })).toEqual([]);
  const { of } = await made(DrCluster, pools);
  expect(namesOf(of("RealServer")).sort()).toEqual([
    "web-tcp-198.51.100.11-25-mx",
    "web-tcp-198.51.100.11-443-a",
    "web-tcp-198.51.100.11-443-b",
    "web-tcp-front-443-a",
    "web-tcp-front-443-b",
    "web-tcp-front-80-b",
  ]);
  const onMx = of("VirtualAddress").filter(
    ({ inputs }) => JSON.stringify(inputs.connection) === '{"host":"mx"}',
  );
  expect(namesOf(onMx)).toEqual(["web-mx-vip-front", "web-mx-vip-198.51.100.11"]);
});

test("a service says what differs for a server in it, and takes one out of it only", async () => {
  const args = {
    ...dr,
    services: [
      {
        port: 80,
        members: {
          a: { weight: 3, port: 8081, upperThreshold: 9, lowerThreshold: 5, drain: { timeout: 7 } },
        },
      },
      { port: 443, members: { b: null } },
    ],
    realServers: dr.realServers.map((server) => ({ ...server, weight: 2 })),
  };
  expect(mistakesOf({ web: { kind: "nat", ...args } })).toEqual([]);
  const { all, of } = await made(NatCluster, args);
  expect(inputsOf(all, "web-tcp-198.51.100.10-80-a")).toMatchObject({
    ...{ weight: 3, port: 8081, upperThreshold: 9, lowerThreshold: 5, drain: { timeout: 7 } },
  });
  expect(inputsOf(all, "web-tcp-198.51.100.10-80-b")).toMatchObject({ weight: 2, port: 80 });
  expect(namesOf(of("RealServer")).filter((name) => name.includes("-443-"))).toEqual([
    "web-tcp-198.51.100.10-443-a",
  ]);
});

test.each([
  ["with the director's connection", { connection: { host: "lb1" } }],
  ["with the same host on port 22", { connection: { host: "lb1", port: 22 } }],
  ["by its field", { connection: pulumi.output({ host: "lb1" }), localnode: true }],
  ["without a connection", {}],
])("the director is a real server %s: it gets no VIP on lo, no silence and no way back", async (_, how) => {
  const realServers = [{ name: "self", address: "198.51.100.2", ...how }, dr.realServers[1]];
  const { of } = await made(DrCluster, { ...dr, realServers });
  expect(namesOf(of("ArpSuppression"))).toEqual(["web-b-arp"]);
  expect(namesOf(of("VirtualAddress"))).toEqual(["web-b-vip-198.51.100.10", "web-vip-198.51.100.10"]);
  expect(namesOf(of("RealServer"))).toEqual(["web-tcp-198.51.100.10-80-self", "web-tcp-198.51.100.10-80-b"]);
  const nat = await made(NatCluster, {
    ...{ ...dr, realServers, director: { ...director, dip: "198.51.100.2" }, returnRoutes: ["default"] },
    services: [{ port: 80, health: {}, drain: {} }],
  });
  expect(namesOf(nat.of("HostRoute"))).toEqual(["web-b-route-default"]);
  expect(inputsOf(nat.all, "web-tcp-198.51.100.10-80-self")).toMatchObject({
    forwarding: "masquerading",
    drain: {},
  });
});

test("a cluster has VIPs of both families, and a server its address of each", async () => {
  const args = {
    ...dr,
    vips: ["198.51.100.10", "2001:db8::10"],
    services: [{ port: 80 }, { fwmark: 6, family: "ipv6" as const }],
    realServers: [{ ...dr.realServers[0], address6: "2001:db8::21" }],
  };
  expect(mistakesOf({ web: { kind: "dr", ...args } })).toEqual([]);
  const { all } = await made(DrCluster, args);
  expect(inputsOf(all, "web-tcp-198.51.100.10-80-a")?.address).toBe("198.51.100.21");
  expect(inputsOf(all, "web-tcp-2001:db8::10-80-a")?.address).toBe("2001:db8::21");
  expect(inputsOf(all, "web-fwmark-6-ipv6-a")?.address).toBe("2001:db8::21");
  expect(inputsOf(all, "web-fwmark-6-ipv6")).toMatchObject({ fwmark: 6, family: "ipv6" });
  const unknown = {
    ...args,
    vips: [{ name: "six", address: pulumi.output("2001:db8::10") }],
    services: [{ port: 80 }],
  };
  expect(inputsOf((await made(DrCluster, unknown)).all, "web-tcp-six-80-a")?.address).toBe("2001:db8::21");
});

test("a VIP is not announced, and sysctls are set before the services and the VIP", async () => {
  const args = {
    ...dr,
    director: { ...director, sysctls: { "net.ipv4.vs.expire_nodest_conn": 1 } },
    vips: [{ address: "198.51.100.10", announce: false }],
    realServers: [{ ...dr.realServers[0], sysctls: { "net.core.somaxconn": "4096" } }],
  };
  expect(mistakesOf({ web: { kind: "dr", ...args } })).toEqual([]);
  const { all } = await made(DrCluster, args);
  expect(inputsOf(all, "web-vip-198.51.100.10")).toMatchObject({ announce: false });
  expect(inputsOf(all, "web-director-sysctl-net.ipv4.vs.expire_nodest_conn")).toMatchObject({ value: "1" });
  expect(inputsOf(all, "web-a-sysctl-net.core.somaxconn")).toMatchObject({
    value: "4096",
    connection: { host: "a" },
  });
  const at = (name: string) => namesOf(all).indexOf(name);
  expect(at("web-director-sysctl-net.ipv4.vs.expire_nodest_conn")).toBeLessThan(
    at("web-tcp-198.51.100.10-80"),
  );
  expect(at("web-a-sysctl-net.core.somaxconn")).toBeLessThan(at("web-a-vip-198.51.100.10"));
});

test("values may be outputs where they decide no resource", async () => {
  const { all } = await made(NatCluster, {
    ...dr,
    director: { ...director, interface: pulumi.output("eth7"), dip: pulumi.output("10.1.0.1") },
    vips: [{ name: "front", address: pulumi.output("198.51.100.10") }],
    services: [{ port: 80, realServerPort: pulumi.output(8080), scheduler: pulumi.output("rr") }],
    realServers: [
      { name: "a", address: Promise.resolve("10.1.0.11"), connection: pulumi.output({ host: "a" }) },
    ],
    returnRoutes: ["default"],
  });
  expect(inputsOf(all, "web-vip-front")).toMatchObject({ interface: "eth7", address: "198.51.100.10" });
  expect(inputsOf(all, "web-tcp-front-80-a")).toMatchObject({ port: 8080, address: "10.1.0.11" });
  expect(inputsOf(all, "web-a-route-default")).toMatchObject({ via: "10.1.0.1" });
  expect(inputsOf(all, "web-forwarding-front")).toMatchObject({
    ...{ family: "ipv4", sendRedirects: false, interfaces: ["eth7"] },
  });
});

test("each field of the checks and of a probe may be an output, and so may the checks as a whole", async () => {
  const check = { path: pulumi.output("/healthz"), body: pulumi.output("ok"), through: "rip" as const };
  const sorryServer = { address: pulumi.output("127.0.0.1"), weight: pulumi.output(2) };
  const args = {
    ...dr,
    services: [
      {
        port: 80,
        persistence: { timeout: pulumi.output(60) },
        drain: { timeout: pulumi.output(9) },
        health: {
          ...{ check, sorryServer, interval: pulumi.output(7), log: pulumi.output("/var/log/web.log") },
          quorum: { weight: pulumi.output(1) },
          servers: { "198.51.100.21:80": { path: pulumi.output("/other") } },
        },
      },
      {
        port: 443,
        health: {
          check: pulumi.output({ path: "/whole" }),
          sorryServer: Promise.resolve({ address: "198.51.100.9" }),
          quorum: pulumi.output({ weight: 1 }),
        },
      },
    ],
    probe: {
      from: { host: "client" },
      ...{ path: pulumi.output("/page"), servers: pulumi.output(2), header: pulumi.output("X-Server") },
      ...{ status: pulumi.output(204), requests: pulumi.output(4) },
    },
  };
  for (const preview of [false, true]) {
    const { all, error } = await program(() => new DrCluster("web", args), preview);
    expect(error).toBeUndefined();
    expect(inputsOf(all, "web-tcp-198.51.100.10-80")).toMatchObject({ persistence: { timeout: 60 } });
    expect(inputsOf(all, "web-tcp-198.51.100.10-80-health")).toMatchObject({
      check: { path: "/healthz", body: "ok", through: "rip" },
      sorryServer: { address: "127.0.0.1", weight: 2, forwarding: "gatewaying" },
      servers: { "198.51.100.21:80": { path: "/other" } },
      ...{ interval: 7, log: "/var/log/web.log", quorum: { weight: 1 } },
    });
    expect(inputsOf(all, "web-tcp-198.51.100.10-443-health")).toMatchObject({
      check: { path: "/whole" },
      sorryServer: { address: "198.51.100.9", forwarding: "gatewaying" },
      quorum: { weight: 1 },
    });
    expect(inputsOf(all, "web-probe-198.51.100.10-80")).toMatchObject({
      url: "http://198.51.100.10:80/page",
      spread: { servers: 2, header: "X-Server" },
      ...{ status: 204, requests: 4 },
    });
  }
});

test("undefined stands for a field that is left out, in every place", async () => {
  const whole = Object.fromEntries(
    [
      "realServers",
      "drain",
      "adopt",
      "persist",
      "probe",
      "packages",
      "arp",
      "loopbackLabel",
      "hostRoutes",
    ].map((name) => [name, undefined]),
  );
  const absent = (...names: string[]) => Object.fromEntries(names.map((name) => [name, undefined]));
  const args = {
    ...whole,
    director: { ...director, ...absent("alongside", "timeouts", "syncDaemon", "sysctls") },
    vips: [
      {
        address: "198.51.100.10",
        ...absent("name", "prefixLength", "label", "broadcast", "announce", "shared"),
      },
    ],
    services: [
      {
        ...absent(
          "protocol",
          "fwmark",
          "family",
          "scheduler",
          "schedulerFlags",
          "persistence",
          "vips",
          "members",
          "drain",
        ),
        port: 80,
        health: {
          ...absent("servers", "interval", "sorryServer", "quorum", "log"),
          check: absent("type", "path", "body", "through"),
        },
        realServers: dr.realServers.map((member) => ({
          ...member,
          ...absent(
            "address6",
            "weight",
            "upperThreshold",
            "lowerThreshold",
            "localnode",
            "sysctls",
            "persist",
          ),
        })),
      },
    ],
  };
  const plain = {
    ...{ director, vips: ["198.51.100.10"] },
    services: [{ port: 80, health: { check: {} }, realServers: dr.realServers }],
  };
  const { all, error } = await program(() => new DrCluster("web", args as never));
  expect(error).toBeUndefined();
  expect(all).toEqual((await program(() => new DrCluster("web", plain as never))).all);
});

test("an output that decides which resources there are is refused, with the reason", async () => {
  const { all, error } = await program(
    () =>
      new DrCluster("web", {
        ...dr,
        vips: [pulumi.output("198.51.100.10")],
        services: [{ port: pulumi.output(80), scheduler: pulumi.output("rr") }],
        realServers: pulumi.output(dr.realServers),
      } as never),
  );
  const reason =
    "is an output, and its value decides which resources there are or what they are called; give the value itself";
  expect(error?.message.split("\n").slice(1)).toEqual(
    ["vips[0]", "services[0].port", "realServers"].map((place) => `  ${place}: ${reason}`),
  );
  expect(all).toEqual([]);
});

test("a cluster shows its children, and services and members are known in the first preview", async () => {
  const { result, error } = await program(() => {
    const cluster = new DrCluster("web", dr);
    return Promise.all([known(cluster.services), known(cluster.members), cluster]);
  }, true);
  expect(error).toBeUndefined();
  const [services, members, cluster] = (await result) ?? [];
  expect(services).toEqual(["lb1/tcp://198.51.100.10:80"]);
  expect(members).toMatchObject([
    { service: "tcp://198.51.100.10:80", address: "198.51.100.21", port: 80 },
    { port: 80 },
  ]);
  expect(cluster?.virtualServices).toHaveLength(1);
  expect(cluster?.realServers).toHaveLength(2);
});

const health = { interval: 5, check: { path: "/healthz", body: "ok" } };
const inside = { ...director, insideInterface: "eth1", dip: "10.1.0.1" };
const nat = {
  kind: "nat",
  director: inside,
  vips: [{ address: "192.0.2.10", prefixLength: 24 }],
  services: [{ port: 80, realServerPort: 8080, scheduler: "wrr", health }],
  realServers: [
    { name: "app", address: "10.1.0.11", weight: 3, connection: { host: "app" } },
    { name: "other", address: "10.1.0.12" },
  ],
  returnRoutes: ["default"],
};

test.each<[string, Record<string, object>]>([
  [
    "checks of each kind, persistence and a drain",
    {
      web: {
        kind: "dr",
        ...{
          ...dr,
          drain: { timeout: 120 },
          vips: ["198.51.100.10", { address: "198.51.100.11", label: "eth0:1" }],
        },
        services: [
          {
            port: 80,
            health: {
              ...health,
              check: { ...health.check, through: "vip" },
              sorryServer: { address: "127.0.0.1" },
            },
          },
          {
            port: 443,
            persistence: { timeout: 600 },
            health: { check: { type: "https", host: "www.example.net" } },
          },
          {
            port: 53,
            protocol: "udp",
            scheduler: "rr",
            health: { check: { type: "dns", query: "www.example.net" } },
          },
        ],
      },
    },
  ],
  [
    "packages, timeouts and a command for a check",
    {
      shop: {
        ...nat,
        director: { ...inside, timeouts: { tcp: 7200, tcpFin: 60, udp: 30 } },
        services: [
          ...nat.services,
          {
            port: 514,
            protocol: "udp",
            realServerPort: 5514,
            health: { check: { type: "command", command: "nc -z $ADDRESS 22" } },
          },
        ],
        packages: { director: ["ipvsadm", "curl"] },
      },
    },
  ],
  [
    "a firewall mark",
    {
      pair: {
        kind: "dr",
        ...dr,
        services: [
          {
            fwmark: 80443,
            scheduler: "sh",
            persistence: { timeout: 3600, netmask: 24 },
            health: { check: { type: "tcp", port: 443 } },
          },
        ],
      },
    },
  ],
  ["both kinds on one director", { web: { kind: "dr", ...dr }, mail: { ...nat, services: [{ port: 25 }] } }],
  [
    "fifty servers",
    {
      farm: {
        kind: "dr",
        ...dr,
        realServers: Array.from({ length: 50 }, (_, i) => ({
          name: `n${i}`,
          address: `10.9.0.${i + 1}`,
          connection: { host: `n${i}` },
        })),
      },
    },
  ],
])("an environment with %s previews", async (_, clusters) => {
  expect(mistakesOf(clusters)).toEqual([]);
  const { all, error } = await program(() => makeAll(clusters as never), true);
  expect(error).toBeUndefined();
  expect(all.length).toBeGreaterThan(5);
});

test("a cluster with IPv6 VIPs lets its director forward IPv6 too", async () => {
  const forwarding = async (vips: string[]) => {
    const v6 = vips.every((vip) => vip.includes(":"));
    const realServers = [
      { name: "a", address: v6 ? "fd00:88::11" : "192.168.10.11", address6: "fd00:88::11" },
    ];
    const args = {
      ...dr,
      director: { ...director, dip: v6 ? "fd00:88::10" : "192.168.10.10" },
      vips,
      realServers: v6 ? [{ name: "a", address: "fd00:88::11" }] : realServers,
    };
    const { of } = await made(NatCluster, args);
    return of("IpForwarding")
      .map(({ name, inputs }) => [name, inputs.family ?? "ipv4"])
      .sort();
  };
  expect(await forwarding(["198.51.100.10"])).toEqual([["web-forwarding", "ipv4"]]);
  expect(await forwarding(["2001:db8::10"])).toEqual([["web-forwarding-ipv6", "ipv6"]]);
  expect(await forwarding(["198.51.100.10", "2001:db8::10"])).toEqual([
    ["web-forwarding", "ipv4"],
    ["web-forwarding-ipv6", "ipv6"],
  ]);
});

test("a VIP whose address is an output decides which family is forwarded when it is known", async () => {
  const vips = [
    "198.51.100.9",
    { name: "four", address: pulumi.output("198.51.100.10") },
    { name: "six", address: pulumi.output("2001:db8::10") },
  ];
  const realServers = [{ name: "a", address: "10.1.0.11", address6: "fd00::11", connection: { host: "a" } }];
  const nat = await made(NatCluster, { ...dr, vips, realServers });
  const shown = nat.of("IpForwarding").map(({ name, inputs: { connection: _, ...rest } }) => [name, rest]);
  expect(Object.fromEntries(shown)).toMatchObject({
    "web-forwarding": { sendRedirects: false, interfaces: ["eth0"] },
    "web-forwarding-four": { family: "ipv4", sendRedirects: false, interfaces: ["eth0"] },
    "web-forwarding-six": { family: "ipv6", sendRedirects: null, interfaces: null },
  });
  const only = await made(NatCluster, { ...dr, vips: [vips[2]], realServers });
  expect(namesOf(only.of("IpForwarding"))).toEqual(["web-forwarding-six"]);
  expect(inputsOf(only.all, "web-tcp-six-80-a")).toMatchObject({ address: "fd00::11" });

  const direct = await made(DrCluster, { ...dr, vips, realServers, ipForwarding: true });
  expect(inputsOf(direct.all, "web-forwarding-six")).toMatchObject({ family: "ipv6" });
  expect(inputsOf(direct.all, "web-a-vip-four")).toMatchObject({ label: "lo:0" });
  // IPv6 has no labels
  expect(inputsOf(direct.all, "web-a-vip-six")).toMatchObject({ label: null });
});
