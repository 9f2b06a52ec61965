import * as pulumi from "@pulumi/pulumi";
import { expect, onTestFinished, test, vi } from "vitest";
import { DrCluster, NatCluster, requireClusters } from "../../../index.js";
import { RealServer, ServiceProbe } from "../../../providers/index.js";
import type { RealServerMember } from "../../../stacks/cluster/args.js";
import type { DirectorArgs } from "../../../stacks/cluster/directors/args.js";
import type { DrClusterArgs } from "../../../stacks/dr-cluster.js";
import { hostKey as hostKeys } from "../../support/fake/ssh-client.js";

interface Registered {
  readonly name: string;
  readonly type: string;
  readonly inputs: Record<string, unknown>;
}

/** What a program registers, in order; its providers are not asked. */
async function program(
  run: () => pulumi.Resource,
): Promise<{ all: Registered[]; cluster: pulumi.Resource; children: pulumi.Resource[] }> {
  const all: Registered[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, type, inputs }) => {
        all.push({ name, type: type.replace("pulumi-nodejs:dynamic/", ""), inputs });
        return { id: `id of ${name}`, state: inputs };
      },
      call: () => ({}),
    },
    "project",
    "stack",
  );
  try {
    const cluster = run();
    return { all, cluster, children: childrenOf(cluster) };
  } finally {
    await pulumi.runtime.disconnect();
  }
}

const childrenOf = (parent: pulumi.Resource): pulumi.Resource[] => [
  ...((parent as unknown as { __childResources?: Set<pulumi.Resource> }).__childResources ?? []),
];

const known = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));

const named = (all: Registered[], name: string): Registered => {
  const found = all.find((one) => one.name === name);
  if (!found) throw new Error(`nothing is called ${name}: ${all.map((one) => one.name).join(", ")}`);
  return found;
};

/** Whether one is registered only after the other, because it depends on it. */
const follows = (all: Registered[], later: string, earlier: string): void => {
  expect(all.indexOf(named(all, later)), `${later} after ${earlier}`).toBeGreaterThan(
    all.indexOf(named(all, earlier)),
  );
};

const dr: DrClusterArgs & { director: DirectorArgs } = {
  director: { connection: { host: "director1" }, interface: "eth0" },
  vips: ["192.168.0.210"],
  services: [{ port: 80 }],
  realServers: [
    { address: "192.168.0.221", connection: { host: "web1" } },
    { name: "second", address: "192.168.0.222", weight: 2 },
  ],
};

const wide: DirectorArgs = {
  ...dr.director,
  alongside: ["keepalived"],
  timeouts: { udp: 30 },
  syncDaemon: { state: "master", mcastInterface: "eth1" },
};
const limited = [{ address: "192.168.0.221", upperThreshold: 100, lowerThreshold: 50 }];

test("a DR cluster is silence, VIP and route on each real server that is reached, and services and VIP on the director", async () => {
  const { all } = await program(() => new DrCluster("web", dr));
  expect(all.map(({ type, name }) => `${type} ${name}`).sort()).toEqual(
    [
      "lvs:index:DrCluster web",
      "lvs:ArpSuppression web-192.168.0.221-arp",
      "lvs:VirtualAddress web-192.168.0.221-vip-192.168.0.210",
      "lvs:HostRoute web-192.168.0.221-vip-192.168.0.210-route",
      "lvs:KernelModule web-ip-vs",
      "lvs:VirtualService web-tcp-192.168.0.210-80",
      "lvs:RealServer web-tcp-192.168.0.210-80-192.168.0.221",
      "lvs:RealServer web-tcp-192.168.0.210-80-second",
      "lvs:VirtualAddress web-vip-192.168.0.210",
      "lvs:HostRoute web-vip-route-192.168.0.210",
    ].sort(),
  );
});

test("a DR cluster is made in the order in which no client comes in before a server can answer", async () => {
  const { all } = await program(() => new DrCluster("web", dr));
  follows(all, "web-192.168.0.221-vip-192.168.0.210", "web-192.168.0.221-arp");
  follows(all, "web-192.168.0.221-vip-192.168.0.210-route", "web-192.168.0.221-vip-192.168.0.210");
  follows(all, "web-tcp-192.168.0.210-80", "web-ip-vs");
  follows(all, "web-tcp-192.168.0.210-80-192.168.0.221", "web-192.168.0.221-vip-192.168.0.210-route");
  follows(all, "web-tcp-192.168.0.210-80-192.168.0.221", "web-tcp-192.168.0.210-80");
  for (const { name } of all.filter(({ type }) => /RealServer|VirtualService/.test(type)))
    follows(all, "web-vip-192.168.0.210", name);
  follows(all, "web-vip-route-192.168.0.210", "web-vip-192.168.0.210");
});

test("a DR cluster's real servers have the VIP on lo, and its packets stay as they are", async () => {
  const { all } = await program(
    () =>
      new DrCluster("web", {
        ...dr,
        vips: [{ address: "192.168.0.210", label: "eth0:1", broadcast: "192.168.0.210" }],
      }),
  );
  expect(named(all, "web-192.168.0.221-vip-192.168.0.210").inputs).toMatchObject({
    interface: "lo",
    address: "192.168.0.210",
    label: "lo:0",
    broadcast: "192.168.0.210",
    connection: { host: "web1" },
  });
  expect(named(all, "web-vip-192.168.0.210").inputs).toMatchObject({
    interface: "eth0",
    label: "eth0:1",
    connection: { host: "director1" },
  });
  expect(named(all, "web-tcp-192.168.0.210-80-second").inputs).toMatchObject({
    service: "id of web-tcp-192.168.0.210-80",
    forwarding: "gatewaying",
    port: 80,
    weight: 2,
    connection: { host: "director1" },
  });
});

const probe = { from: { host: "client1" }, path: "/health", servers: 2, arp: true };

test.for([
  [
    "DR",
    () => new DrCluster("web", { ...dr, services: [...dr.services, { port: 25 }, { fwmark: 7 }], probe }),
  ],
  [
    "NAT",
    () =>
      new NatCluster("web", {
        ...dr,
        services: [...dr.services, { port: 25 }, { port: 53, protocol: "udp" }],
        probe,
      }),
  ],
] as const)(
  "a %s cluster's TCP services are probed after everything else, each at its VIP",
  async ([, make]) => {
    const { all } = await program(make);
    expect(all.filter(({ type }) => type === "lvs:ServiceProbe")).toHaveLength(2);
    const [web, mail] = [80, 25].map((port) => named(all, `web-probe-192.168.0.210-${port}`));
    const requested = { arp: true, connection: { host: "client1" }, director: { host: "director1" } };
    expect(web?.inputs).toMatchObject({
      ...requested,
      url: "http://192.168.0.210:80/health",
      spread: { servers: 2 },
    });
    expect(mail?.inputs).toMatchObject({ ...requested, url: "tcp://192.168.0.210:25" });
    expect(mail?.inputs).not.toHaveProperty("spread");
    const others = all.filter(({ type }) => type !== "lvs:ServiceProbe");
    for (const { name } of others) follows(all, "web-probe-192.168.0.210-80", name);
  },
);

test("a cluster's probe runs again when anything of the cluster changes, but not by how hosts are reached", async () => {
  const triggers = async (args: DrClusterArgs) => {
    const { all } = await program(() => new DrCluster("web", { ...args, probe }));
    return JSON.stringify(named(all, "web-probe-192.168.0.210-80").inputs.triggers);
  };
  const now = await triggers(dr);
  expect(now).not.toMatch(/director1|web1|client1/);
  const [first, second] = dr.realServers as [RealServerMember, RealServerMember];
  for (const other of [
    { ...dr, realServers: [first] },
    { ...dr, realServers: [first, { ...second, weight: 3 }] },
    { ...dr, services: [{ port: 80, scheduler: "rr" as const }] },
    { ...dr, hostRoutes: false },
  ])
    expect(await triggers(other)).not.toBe(now);
  const elsewhere = { ...first, connection: { host: "web9", password: "hunter2" } };
  expect(await triggers({ ...dr, realServers: [elsewhere, second] })).toBe(now);
  const ofService = (one: RealServerMember) =>
    triggers({ ...dr, services: [{ port: 80, realServers: ["second", one] }], realServers: [second] });
  expect(await ofService(elsewhere)).toBe(await ofService(first));
  expect(await ofService({ ...first, weight: 3 })).not.toBe(await ofService(first));
});

test("the login of each host of a cluster is in connections only", async () => {
  const login = (host: string) => ({ host, password: "hunter2", proxy: { host: "jump", privateKey: "PEM" } });
  const server = (address: string, host: string) => ({ address, connection: login(host) });
  const common = {
    realServers: [server("192.168.0.221", "web1")],
    services: [{ port: 80, realServers: ["192.168.0.221", server("192.168.0.222", "web2")] }, { port: 25 }],
    probe: { ...probe, from: login("client1") },
  };
  const directors = ["director1", "director2"].map((host) => ({
    connection: login(host),
    interface: "eth0",
  }));
  for (const make of [
    () =>
      new DrCluster("web", {
        ...dr,
        ...common,
        director: { ...dr.director, connection: login("director1") },
      }),
    () => new DrCluster("web", { vips: dr.vips, ...common, directors, vrrp: { routerId: 51 } }),
    () => new NatCluster("web", { vips: dr.vips, ...common, directors, vrrp: { routerId: 51 } }),
  ]) {
    const { all } = await program(make);
    expect(all.some(({ type }) => type === "lvs:ServiceProbe")).toBe(true);
    for (const { name, inputs } of all) {
      const { connection: _, director: __, ...others } = inputs;
      expect(JSON.stringify(others), name).not.toMatch(/hunter2|PEM/);
    }
  }
});

test("all of a cluster lasts until the next reboot only with persist: false", async () => {
  const { all } = await program(() => new DrCluster("web", { ...dr, persist: false }));
  const resources = all.filter(({ type }) => type.startsWith("lvs:") && !type.startsWith("lvs:index:"));
  expect(resources.length).toBeGreaterThan(5);
  for (const { name, inputs } of resources) expect(inputs.persist, name).toBe(false);
});

test("one machine without systemd costs the others nothing", async () => {
  const [first, second] = dr.realServers as [RealServerMember, RealServerMember];
  for (const make of [
    () => new DrCluster("web", { ...dr, persist: true, realServers: [{ ...first, persist: false }, second] }),
    () =>
      new NatCluster("web", {
        ...dr,
        director: { ...dr.director, dip: "192.168.0.5" },
        realServers: [{ ...first, persist: false }, second],
        returnRoutes: ["10.0.0.0/8"],
      }),
  ]) {
    const { all } = await program(make);
    const there = all.filter(({ inputs }) => JSON.stringify(inputs.connection) === '{"host":"web1"}');
    expect(there.length).toBeGreaterThan(0);
    for (const { name, inputs } of all)
      expect(inputs.persist === false, name).toBe(there.some((one) => one.name === name));
  }
});

const checked = (health: NonNullable<DrClusterArgs["services"][number]["health"]>) => ({
  ...dr,
  services: [{ port: 80, health }],
});

test("a sorry server is reached as the cluster's members are, but for the loopback, and by its own forwarding if it has one", async () => {
  const forwarding = async (
    Kind: typeof DrCluster | typeof NatCluster,
    sorryServer: { address: string; forwarding?: "gatewaying" },
  ) => {
    const { all } = await program(() => new Kind("web", checked({ sorryServer })));
    return (named(all, "web-tcp-192.168.0.210-80-health").inputs.sorryServer as { forwarding: string })
      .forwarding;
  };
  const address = "192.168.10.20";
  expect(await forwarding(NatCluster, { address })).toBe("masquerading");
  expect(await forwarding(NatCluster, { address: "127.0.0.1" })).toBe("gatewaying");
  expect(await forwarding(NatCluster, { address, forwarding: "gatewaying" })).toBe("gatewaying");
  expect(await forwarding(DrCluster, { address })).toBe("gatewaying");
});

test("a NAT cluster has no checks through the VIP, which its real servers do not have", async () => {
  for (const [health, at] of [
    [{ check: { through: "vip" } }, "check"],
    [{ servers: { "192.168.0.222:80": { through: "vip" } } }, 'servers["192.168.0.222:80"]'],
  ] as const) {
    await expect(program(() => new NatCluster("web", checked(health)))).rejects.toThrow(
      `services[0].health.${at}.through: vip is for gatewaying`,
    );
    await program(() => new DrCluster("web", checked(health)));
  }
});

test("no host sends ARP for an IPv6 VIP, so a cluster may have both", async () => {
  const { all } = await program(
    () =>
      new DrCluster("web", {
        ...dr,
        vips: [...dr.vips, "2001:db8::210"],
        realServers: [{ address: "192.168.0.221", address6: "2001:db8::221" }],
        probe,
      }),
  );
  expect(named(all, "web-probe-192.168.0.210-80").inputs.arp).toBe(true);
  expect(named(all, "web-probe-2001:db8::210-80").inputs.arp).toBe(false);
});

test("an IPv6 VIP has no label on lo", async () => {
  const { all } = await program(
    () =>
      new DrCluster("web", {
        ...dr,
        vips: ["2001:db8::210"],
        realServers: [{ address: "2001:db8::221", connection: { host: "web1" } }],
      }),
  );
  expect(named(all, "web-2001:db8::221-vip-2001:db8::210").inputs.label).toBeUndefined();
});

test.each([
  ["DR", () => new DrCluster("web", { ...dr, director: wide, realServers: limited })],
  ["NAT", () => new NatCluster("web", { ...dr, director: wide, realServers: limited })],
])(
  "a %s cluster's director has its timeouts and its sync daemon before there are services",
  async (_, make) => {
    const { all } = await program(make);
    expect(named(all, "web-timeouts").inputs).toMatchObject({ udp: 30, alongside: ["keepalived"] });
    expect(named(all, "web-sync-daemon").inputs).toMatchObject({ state: "master", mcastInterface: "eth1" });
    follows(all, "web-timeouts", "web-ip-vs");
    follows(all, "web-sync-daemon", "web-ip-vs");
    follows(all, "web-tcp-192.168.0.210-80", "web-timeouts");
    follows(all, "web-tcp-192.168.0.210-80", "web-sync-daemon");
    expect(named(all, "web-tcp-192.168.0.210-80-192.168.0.221").inputs).toMatchObject({
      upperThreshold: 100,
      lowerThreshold: 50,
    });
  },
);

test("a DR cluster leaves out routes, and enables forwarding, if the arguments say so", async () => {
  const { all } = await program(() => new DrCluster("web", { ...dr, hostRoutes: false, ipForwarding: true }));
  expect(all.filter(({ type }) => /HostRoute/.test(type))).toEqual([]);
  follows(all, "web-tcp-192.168.0.210-80", "web-forwarding");
});

test("a NAT cluster turns forwarding on and redirects off, and sends answers back through the director", async () => {
  const { all } = await program(
    () =>
      new NatCluster("web", {
        director: {
          connection: { host: "director1" },
          interface: "eth0",
          insideInterface: "eth1",
          dip: "192.168.10.10",
        },
        vips: ["192.168.0.219"],
        services: [{ port: 80, scheduler: "rr", realServerPort: 8080 }, { fwmark: 7 }],
        realServers: [
          { address: "192.168.10.11", connection: { host: "web1" } },
          { address: "192.168.10.12" },
        ],
        returnRoutes: ["default"],
      }),
  );
  expect(all.map(({ type, name }) => `${type} ${name}`).sort()).toEqual(
    [
      "lvs:index:NatCluster web",
      "lvs:IpForwarding web-forwarding",
      "lvs:HostRoute web-192.168.10.11-route-default",
      "lvs:KernelModule web-ip-vs",
      "lvs:VirtualService web-tcp-192.168.0.219-80",
      "lvs:RealServer web-tcp-192.168.0.219-80-192.168.10.11",
      "lvs:RealServer web-tcp-192.168.0.219-80-192.168.10.12",
      "lvs:VirtualService web-fwmark-7",
      "lvs:RealServer web-fwmark-7-192.168.10.11",
      "lvs:RealServer web-fwmark-7-192.168.10.12",
      "lvs:VirtualAddress web-vip-192.168.0.219",
    ].sort(),
  );
  expect(named(all, "web-forwarding").inputs).toMatchObject({
    sendRedirects: false,
    interfaces: ["eth0", "eth1"],
  });
  expect(named(all, "web-192.168.10.11-route-default").inputs).toMatchObject({
    destination: "default",
    via: "192.168.10.10",
    connection: { host: "web1" },
  });
  expect(named(all, "web-tcp-192.168.0.219-80-192.168.10.12").inputs).toMatchObject({
    forwarding: "masquerading",
    port: 8080,
  });
  expect(named(all, "web-fwmark-7-192.168.10.12").inputs).toMatchObject({ port: 0 });
  follows(all, "web-tcp-192.168.0.219-80", "web-forwarding");
  follows(all, "web-tcp-192.168.0.219-80-192.168.10.11", "web-192.168.10.11-route-default");
  for (const { name } of all.filter(({ type }) => /RealServer|VirtualService/.test(type)))
    follows(all, "web-vip-192.168.0.219", name);
});

test("a cluster's real servers drain as it says, or as their service says; remembered clients are forgotten for it", async () => {
  const drain = { timeout: 30 };
  const { all } = await program(
    () =>
      new DrCluster("web", {
        ...dr,
        services: [
          { port: 80, persistence: {} },
          { port: 443, drain: null },
        ],
        drain,
      }),
  );
  expect(named(all, "web-tcp-192.168.0.210-80-second").inputs.drain).toEqual(drain);
  expect(named(all, "web-tcp-192.168.0.210-443-second").inputs.drain).toBeNull();
  const forget = "web-expire-quiescent-template";
  expect(named(all, forget).inputs).toMatchObject({
    name: "net.ipv4.vs.expire_quiescent_template",
    value: "1",
  });
  follows(all, "web-tcp-192.168.0.210-80", forget);
  const { all: plain } = await program(
    () => new DrCluster("web", { ...dr, services: [{ port: 80, persistence: {}, drain: null }], drain }),
  );
  expect(plain.some(({ name }) => name === forget)).toBe(false);
});

test("a cluster with pool has one resource for a service and its servers, which comes after what is made on them", async () => {
  const drain = { timeout: 30 };
  const services = [
    { port: 80, health: {}, members: { second: { weight: 4 } } },
    { port: 443, pool: false },
  ];
  const { all, cluster } = await program(() => new DrCluster("web", { ...dr, services, drain, pool: true }));
  const { all: separate } = await program(() => new DrCluster("web", { ...dr, services, drain }));
  const inputs = (name: string) => named(separate, name).inputs;
  const fields = (name: string) => {
    const { connection: _, service: __, owner: ___, __provider, address, port, ...rest } = inputs(name);
    return [`${address}:${port}`, rest] as const;
  };
  const web = "web-tcp-192.168.0.210-80";
  const servers = separate.map(({ name }) => name).filter((name) => name.startsWith(`${web}-`));
  const members = servers.filter((name) => !name.endsWith("-health"));
  expect(members.length).toBeGreaterThan(1);
  expect(named(all, web).inputs.realServers).toEqual(Object.fromEntries(members.map(fields)));
  expect(all.map(({ name }) => name).sort()).toEqual(
    separate
      .map(({ name }) => name)
      .filter((name) => !members.includes(name))
      .sort(),
  );
  follows(all, web, "web-192.168.0.221-arp");
  follows(all, `${web}-health`, web);
  follows(all, "web-vip-192.168.0.210", web);
  expect(cluster).toBeDefined();
});

test("clients that are remembered do not stay with a server that health checks quiesce", async () => {
  const { all } = await program(
    () => new DrCluster("web", { ...dr, services: [{ port: 80, persistence: {}, health: {} }] }),
  );
  follows(all, "web-tcp-192.168.0.210-80", "web-expire-quiescent-template");
  const { all: plain } = await program(
    () => new DrCluster("web", { ...dr, services: [{ port: 80, health: {} }] }),
  );
  expect(plain.some(({ name }) => name === "web-expire-quiescent-template")).toBe(false);
});

test("a slow start is refused where the weight of a real server leaves nothing to raise", async () => {
  const cluster = (weight?: number) =>
    program(
      () =>
        new DrCluster("web", {
          ...dr,
          services: [{ port: 80, health: { slowStart: 30 } }],
          realServers: (dr.realServers ?? []).map((member) => ({
            ...member,
            ...(weight === undefined ? {} : { weight }),
          })),
        }),
    );
  await expect(cluster(1)).rejects.toThrow(
    "realServers[0].weight: is 1, with which health.slowStart has nothing to raise; give all of them weights such as 100",
  );
  await expect(cluster()).rejects.toThrow("realServers[0].weight: is 1");
  const { all } = await cluster(100);
  expect(all.some(({ name }) => name.endsWith("-health"))).toBe(true);
});

test("every resource of a cluster is the cluster's child", async () => {
  const { all, cluster, children } = await program(() => new DrCluster("web", dr));
  expect(await known(cluster.urn)).toBe("urn:pulumi:stack::project::lvs:index:DrCluster::web");
  expect(children).toHaveLength(all.length - 1);
  for (const child of children)
    expect(await known(child.urn)).toMatch(/::lvs:index:DrCluster\$pulumi-nodejs:dynamic\/lvs:\w+::web-/);
});

test("a cluster shows how its servers are, where they are checked", async () => {
  const { cluster } = await program(() => new DrCluster("web", checked({})));
  expect(await known((cluster as DrCluster).health)).toEqual({ "id of web-tcp-192.168.0.210-80": {} });
  expect(await known((cluster as DrCluster).reasons)).toEqual({ "id of web-tcp-192.168.0.210-80": {} });
});

test("a cluster shows its VIPs, the ids of its services, and who stands behind them", async () => {
  const { cluster } = await program(() => new DrCluster("web", dr));
  const { vips, services, members, health, drained } = cluster as DrCluster;
  expect(await known(health)).toEqual({});
  expect(await known(drained)).toEqual({ "id of web-tcp-192.168.0.210-80": [] });
  expect(await known(vips)).toEqual(["192.168.0.210"]);
  expect(await known(services)).toEqual(["id of web-tcp-192.168.0.210-80"]);
  expect(await known(members)).toMatchObject([
    {
      service: "id of web-tcp-192.168.0.210-80",
      address: "192.168.0.221",
      port: 80,
      forwarding: "gatewaying",
    },
    { address: "192.168.0.222", weight: 2 },
  ]);
});

const oneServer = { service: "tcp://192.168.0.219:80", address: "192.168.10.11", port: 80 };
const secretMark = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

test.each(["withoutToken", "as outputs", "as one output", "as a promise"])(
  "secrets in a connection given %s are secret, and nothing else of it is",
  async (how) => {
    const plain = { host: "director1", password: "hunter2", proxy: { host: "jump", privateKey: "PEM" } };
    const connection = {
      withoutToken: plain,
      "as outputs": {
        host: pulumi.output("director1"),
        password: pulumi.output("hunter2"),
        proxy: pulumi.output({ host: "jump", privateKey: "PEM" }),
      },
      "as one output": pulumi.output(plain),
      "as a promise": Promise.resolve(plain),
    }[how];
    const { cluster } = await program(
      () =>
        new RealServer("one", {
          connection: connection as never,
          ...oneServer,
        }),
    );
    const output = (cluster as RealServer).connection;
    expect(await known(output)).toEqual(plain);
    expect(await pulumi.isSecret(output)).toBe(true);
    const wire = (await pulumi.runtime.serializeProperties("one", { connection: output })) as {
      connection: unknown;
    };
    expect(wire.connection).toMatchObject(secretMark);
  },
);

test("so are those of a probe's second connection", async () => {
  const { cluster } = await program(
    () =>
      new ServiceProbe("one", {
        connection: { host: "client1" },
        url: "http://192.168.0.219/",
        director: { host: "director1", password: "hunter2", proxy: { host: "jump", privateKey: "PEM" } },
      }),
  );
  const { director, connection } = cluster as ServiceProbe;
  expect(await pulumi.isSecret(director)).toBe(true);
  expect(await pulumi.isSecret(connection)).toBe(false);
  const wire = (await pulumi.runtime.serializeProperties("one", { director })) as { director: unknown };
  expect(wire.director).toMatchObject(secretMark);
});

test("a connection without secrets is none itself", async () => {
  const { cluster } = await program(
    () =>
      new RealServer("one", {
        connection: { host: "director1", user: "admin" },
        ...oneServer,
      }),
  );
  expect(await pulumi.isSecret((cluster as RealServer).connection)).toBe(false);
});

test("a resource is marked with project, stack and name as its owner, and keeps undefined arguments to itself", async () => {
  const { all } = await program(
    () =>
      new RealServer("one", {
        connection: { host: "director1" },
        ...oneServer,
      }),
  );
  expect(named(all, "one").inputs).toMatchObject({ owner: "project/stack/one" });
  expect(named(all, "one").inputs).not.toHaveProperty("weight");
});

test("a resource is known by its kind, whichever copy of the package made it", async () => {
  const { cluster } = await program(
    () =>
      new RealServer("one", {
        connection: { host: "director1" },
        ...oneServer,
      }),
  );
  expect(RealServer.isInstance(cluster)).toBe(true);
  expect(RealServer.isInstance({ __pulumiType: "pulumi-nodejs:dynamic/lvs:RealServer" })).toBe(true);
  expect(RealServer.isInstance({ __pulumiType: "pulumi-nodejs:dynamic/lvs:VirtualService" })).toBe(false);
  expect(RealServer.isInstance(null)).toBe(false);
});

test("a member whose address is an output needs a name, and the error says so", async () => {
  const realServers = [{ address: pulumi.output("192.168.0.221"), connection: { host: "web1" } }];
  await expect(program(() => new DrCluster("web", { ...dr, realServers }))).rejects.toThrow(
    "realServers[0].address: is an output, and the names of resources contain the address; give it a name",
  );
  const { all } = await program(
    () => new DrCluster("web", { ...dr, realServers: [{ name: "first", ...realServers[0] }] as never }),
  );
  expect(named(all, "web-tcp-192.168.0.210-80-first").inputs).toMatchObject({ address: "192.168.0.221" });
});

test("return routes without the address they go through are refused", async () => {
  const { kind: _, ...args } = { kind: "nat", ...dr, returnRoutes: ["default"] };
  await expect(program(() => new NatCluster("web", args))).rejects.toThrow(
    "director.dip: is missing; returnRoutes go through this address",
  );
});

test("clusters that the configuration lacks are named, and so is where another project's name stands before them", async () => {
  const read = () => program(() => requireClusters() as never);
  onTestFinished(() => pulumi.runtime.setAllConfig({}));
  pulumi.runtime.setAllConfig({});
  await expect(read()).rejects.toThrow(
    /^cannot read the clusters of this stack: Pulumi\.stack\.yaml has no project:clusters; give clusters there by name/,
  );
  pulumi.runtime.setAllConfig({ "lvs:clusters": "{}" });
  await expect(read()).rejects.toThrow(/the value is under lvs:clusters, .* rename it to project:clusters$/);
});

test("a name of the configuration with a typing error is named", async () => {
  onTestFinished(() => pulumi.runtime.setAllConfig({}));
  pulumi.runtime.setAllConfig({ "project:cluster": "{}" });
  await expect(program(() => requireClusters() as never)).rejects.toThrow(
    "Pulumi.stack.yaml has no project:clusters; rename project:cluster to project:clusters",
  );
});

test("a password in clear text in the configuration gives a warning with its place and the remedy", async () => {
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue(undefined);
  onTestFinished(() => {
    warn.mockRestore();
    pulumi.runtime.setAllConfig({});
  });
  const director = { connection: { host: "director1", password: "hunter2" }, interface: "eth0" };
  const proxy = { host: "jump", passwordEnv: "JUMP_PASSWORD" };
  const realServers = [{ address: "192.168.0.221", connection: { host: "web1", proxy } }];
  const clusters = { web: { kind: "dr", ...dr, director, realServers } };
  pulumi.runtime.setAllConfig({ "project:clusters": JSON.stringify(clusters) });
  await program(() => requireClusters() as never);
  expect(warn.mock.calls.map(([message]) => message)).toEqual([
    "clusters.web.director.connection.password: stands in clear text in Pulumi.stack.yaml; write passwordEnv, the name of an environment variable, or run: pulumi config set --secret --path 'project:clusters.web.director.connection.password'",
  ]);
});

test("no stack trace is shortened for anybody else", async () => {
  const before = Error.prepareStackTrace;
  onTestFinished(() => {
    Error.prepareStackTrace = before as never;
  });
  await program(() => new DrCluster("web", dr));
  expect(Error.prepareStackTrace).toBe(before);
});

test("packages are installed by remote commands, first of all, over the same connection and with its host key", async () => {
  const hostKey = hostKeys.public;
  const connection = { host: "director1", user: "deploy", password: "s3cret", hostKey };
  const args = {
    ...dr,
    director: { ...dr.director, connection },
    packages: { director: ["ipvsadm", "iputils-arping"] },
  };
  const { all } = await program(() => new DrCluster("web", args));
  const commands = all.filter(({ type }) => type === "command:remote:Command");
  expect(commands.map(({ name }) => name)).toEqual(["web-packages-director"]);
  expect(commands[0]?.inputs.create).toMatch(
    /^packages='ipvsadm iputils-arping'\n[\s\S]*apt-get install -y [\s\S]*sudo -n sh -c/,
  );
  expect(JSON.stringify(commands[0]?.inputs.connection)).toContain(JSON.stringify({ hostKey }).slice(1, -1));
  follows(all, "web-tcp-192.168.0.210-80", "web-packages-director");
});

test("a package's name that a shell would take for more is refused", async () => {
  const args = { ...dr, packages: { director: ["ipvsadm; reboot"] } };
  await expect(program(() => new DrCluster("web", args))).rejects.toThrow(
    /"ipvsadm; reboot" is not a package name/,
  );
});
