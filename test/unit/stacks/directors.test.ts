import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { DrCluster, NatCluster } from "../../../index.js";
import { mistakesOf, program, type Registered } from "../../support/fake/cluster-program.js";
import { hostKey } from "../../support/fake/ssh-client.js";

const [lb1, lb2, lb3] = ["lb1", "lb2", "lb3"].map((host) => ({ connection: { host } }));
const web = {
  directors: [
    { ...lb1, interface: "eth0", timeouts: { tcp: 100 }, sysctls: { "net.ipv4.vs.expire_nodest_conn": 1 } },
    lb2,
  ],
  vrrp: { routerId: 51 },
  sync: { mcastInterface: "eth1", syncid: 7 },
  vips: ["198.51.100.10"],
  services: [{ port: 80, health: {} }, { port: 25 }],
  realServers: [
    { name: "a", address: "198.51.100.21", connection: { host: "a" } },
    { name: "b", address: "198.51.100.22", connection: { host: "b" }, weight: 2 },
  ],
};

const urnOf = (one: pulumi.Resource): Promise<string> =>
  new Promise((resolve) => one.urn.apply((urn) => resolve(urn)));

/** Makes a cluster. Returns what it registers, with the names that it depends on and those it has had. */
async function made(Kind: typeof DrCluster | typeof NatCluster, args: object) {
  const kind = Kind === DrCluster ? "dr" : "nat";
  expect(mistakesOf({ web: { kind, ...args } })).toEqual([]);
  const options = new Map<string, pulumi.CustomResourceOptions>();
  const transformations: pulumi.ResourceTransformation[] = [
    ({ name, opts }) => {
      options.set(name, opts);
      return undefined;
    },
  ];
  const { all, error, result } = await program(() => new Kind("web", args as never, { transformations }));
  if (error) throw error;
  const needs = async (name: string): Promise<string[]> => {
    const { dependsOn } = options.get(name) ?? {};
    const list = (Array.isArray(dependsOn) ? dependsOn : [dependsOn]).filter(Boolean) as pulumi.Resource[];
    return Promise.all(list.map(async (one) => (await urnOf(one)).split("::").at(-1) ?? ""));
  };
  const aliases = (name: string) =>
    (options.get(name)?.aliases as { name: string }[] | undefined)?.map((alias) => alias.name);
  const on = (host: string) => all.filter(({ inputs }) => hostOf(inputs) === host);
  const inputs = (name: string) => all.find((one) => one.name === name)?.inputs;
  return { all, on, needs, aliases, inputs, cluster: result as DrCluster };
}

const hostOf = (inputs: Registered["inputs"]) => (inputs.connection as { host?: string } | undefined)?.host;
const namesOf = (all: Registered[]) => all.map(({ name }) => name).sort();
const known = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));

test("each director has the same services, members, checks, timeouts, sysctls and sync daemons, and one VRRP instance", async () => {
  const { on, all } = await made(DrCluster, web);
  const parts = [
    ...["probe", "ip-vs", "timeouts", "sync-master", "sync-backup"],
    "director-sysctl-net.ipv4.vs.expire_nodest_conn",
    ...[80, 25].flatMap((port) => ["", "-a", "-b"].map((member) => `tcp-198.51.100.10-${port}${member}`)),
    ...["tcp-198.51.100.10-80-health", "vrrp"],
  ];
  for (const host of ["lb1", "lb2"])
    expect(namesOf(on(host))).toEqual(parts.map((part) => `web-${host}-${part}`).sort());
  const alike = (host: string) =>
    on(host)
      .filter(({ type }) => type !== "VrrpInstance")
      .map(({ type, inputs: { connection, service, owner, __provider, ...inputs } }) => ({ type, inputs }))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  expect(alike("lb2")).toEqual(alike("lb1"));
  // what is on a real server is there once
  expect(namesOf(on("a"))).toEqual(["web-a-arp", "web-a-vip-198.51.100.10", "web-a-vip-198.51.100.10-route"]);
  expect(all.filter(({ type }) => type === "VirtualAddress")).toHaveLength(2);
});

test("the VRRP instances have the VIPs, priorities in the order of directors, and track what has checks", async () => {
  const vips = [
    "198.51.100.10",
    { name: "wide", address: "198.51.100.11", prefixLength: 24 },
    "2001:db8::10",
  ];
  const services = web.services.map((service) => ({ ...service, vips: ["198.51.100.10"] }));
  const directors = [
    { ...web.directors[0], address: "198.51.100.2" },
    { ...lb2, interface: "ens3", address: "198.51.100.3" },
    { ...lb3, name: "third", address: "198.51.100.4" },
  ];
  const vrrp = { routerId: 51, advertInterval: 0.5, preemptDelay: 9, garpRefresh: 60 };
  const { inputs } = await made(DrCluster, { ...web, directors, vips, vrrp, services });
  const addresses = [
    { address: "198.51.100.10" },
    { address: "198.51.100.11", prefixLength: 24 },
    { address: "2001:db8::10" },
  ];
  const same = { ...vrrp, addresses };
  expect(inputs("web-lb1-vrrp")).toMatchObject({
    ...{ ...same, interface: "eth0", priority: 150, source: "198.51.100.2" },
    peers: ["198.51.100.3", "198.51.100.4"],
    trackServices: ["id of web-lb1-tcp-198.51.100.10-80"],
  });
  expect(inputs("web-lb2-vrrp")).toMatchObject({ ...same, interface: "ens3", priority: 140 });
  expect(inputs("web-third-vrrp")).toMatchObject({ ...same, interface: "eth0", priority: 130 });
  const six = {
    ...{ ...web, vips: ["2001:db8::10"], vrrp: { routerId: 51, trackServices: false } },
    realServers: [{ name: "a", address: "2001:db8::21" }],
  };
  const only = await made(DrCluster, six);
  expect(only.inputs("web-lb1-vrrp")).toMatchObject({ addresses: [{ address: "2001:db8::10" }] });
  expect(only.inputs("web-lb1-vrrp")?.trackServices).toBeUndefined();
  expect(only.inputs("web-lb1-vrrp")?.peers).toBeUndefined();
});

test("nothing of a cluster is changed before each of several directors has answered after a change of the arguments", async () => {
  const triggersOf = async (args: object) => {
    const { all, needs } = await made(DrCluster, args);
    const probes = all.filter(({ type }) => type === "HostProbe");
    if (probes.length > 0)
      for (const name of ["web-a-arp", "web-lb2-ip-vs", "web-lb1-ip-vs"])
        expect(await needs(name)).toEqual(expect.arrayContaining(["web-lb1-probe", "web-lb2-probe"]));
    return probes.map(({ inputs }) => inputs.triggers);
  };
  const [one, two] = await triggersOf(web);
  expect(one).toMatch(/^[0-9a-f]{64}$/);
  expect(two).toBe(one);
  expect(await triggersOf({ ...web, services: [{ port: 80 }] })).not.toContain(one);
  const named = (connection: object) => ({
    ...web,
    directors: [web.directors[0], { name: "lb2", connection }],
  });
  const [before, after] = [
    await triggersOf(named({ host: "lb2" })),
    await triggersOf(named({ host: "lb9" })),
  ];
  expect(after).toEqual(before);
  expect(await triggersOf({ ...web, allowDown: true })).toEqual([]);
  expect(await triggersOf({ ...web, directors: [web.directors[0]] })).toEqual([]);
});

test("another order of directors changes priorities only", async () => {
  const directors = [
    { ...web.directors[0], address: "198.51.100.4" },
    { ...lb2, address: "198.51.100.2" },
    { ...lb3, address: pulumi.output("198.51.100.3") },
  ];
  const inputs = async (order: object[]) => {
    const { all, error } = await program(() => new DrCluster("web", { ...web, directors: order } as never));
    expect(error).toBeUndefined();
    // a probe looks after each change
    const rest = all.filter(({ type }) => type !== "HostProbe");
    return new Map(rest.map(({ name, inputs: { priority: _, ...inputs } }) => [name, inputs]));
  };
  const first = await inputs(directors);
  expect(await inputs(directors.toReversed())).toEqual(first);
  expect(first.get("web-lb3-vrrp")).toMatchObject({ peers: ["198.51.100.2", "198.51.100.4"] });
});

test("two clusters with the directors in opposite orders have a VIP on each director", async () => {
  const other = {
    ...web,
    directors: [{ ...lb2, interface: "eth0" }, lb1],
    vrrp: { routerId: 52 },
    vips: ["198.51.100.11"],
  };
  const clusters = { web: { kind: "dr", ...web }, shop: { kind: "dr", ...other } };
  expect(mistakesOf(clusters)).toEqual([]);
  const priorities = async (name: string, args: object) => {
    const { all } = await program(() => new DrCluster(name, args as never));
    return all
      .filter(({ type }) => type === "VrrpInstance")
      .map((one) => `${hostOf(one.inputs)} ${one.inputs.priority}`)
      .sort();
  };
  expect(await priorities("web", web)).toEqual(["lb1 150", "lb2 140"]);
  expect(await priorities("shop", other)).toEqual(["lb1 140", "lb2 150"]);
});

test("a change comes to the last director first: the module of each waits for the VRRP instance of the next one", async () => {
  const { all, needs } = await made(DrCluster, { ...web, directors: [...web.directors, lb3] });
  const probes = ["web-lb1-probe", "web-lb2-probe", "web-lb3-probe"];
  expect(await needs("web-lb1-ip-vs")).toEqual([...probes, "web-lb2-vrrp"]);
  expect(await needs("web-lb2-ip-vs")).toEqual([...probes, "web-lb3-vrrp"]);
  expect(await needs("web-lb3-ip-vs")).toEqual(probes);
  for (const host of ["lb1", "lb2", "lb3"]) {
    const mine = all.filter(({ inputs }) => hostOf(inputs) === host);
    // the VIP comes last on its director
    expect(mine.at(-1)?.name).toBe(`web-${host}-vrrp`);
    expect((await needs(`web-${host}-vrrp`)).sort()).toEqual(
      namesOf(mine.filter(({ type }) => /VirtualService|RealServer|HealthMonitor/.test(type))),
    );
  }
  const changed = all.filter(({ type }) => type !== "HostProbe");
  const places = changed.flatMap(({ inputs }) => (/^lb/.test(hostOf(inputs) ?? "") ? [hostOf(inputs)] : []));
  expect([...new Set(places)]).toEqual(["lb3", "lb2", "lb1"]);
  expect(places).toEqual(places.toSorted().toReversed());
});

test("a cluster with one director keeps its resources when it gets a second one", async () => {
  const [one, two] = ["lb1", "lb2"].map((host) => ({
    connection: { host, password: "s3cret", hostKey: hostKey.public },
  }));
  const wide = {
    interface: "eth0",
    timeouts: { tcp: 100 },
    sysctls: { "net.ipv4.vs.expire_nodest_conn": 1 },
  };
  const { directors: _, vrrp: __, sync: ___, ...rest } = web;
  const packages = { director: ["keepalived"] };
  const persistence = { services: [{ port: 80, persistence: {}, health: {} }, { port: 25 }] };
  const more = { ...persistence, packages };
  const before = await made(DrCluster, {
    ...rest,
    ...more,
    director: { ...one, ...wide },
    ipForwarding: true,
  });
  const after = await made(DrCluster, {
    ...{ ...web, ...more, ipForwarding: true },
    directors: [{ ...one, ...wide }, two],
  });
  const former = (name: string) => after.aliases(name) ?? [name];
  const names = after.all.flatMap(({ name }) => former(name));
  // VRRP moves the VIP now, and its route goes with it
  const gone = ["web-vip-198.51.100.10", "web-vip-route-198.51.100.10"];
  expect(
    before.all
      .map(({ name }) => name)
      .filter((name) => !names.includes(name))
      .sort(),
  ).toEqual(gone);
  for (const { name } of after.on("lb2")) expect(after.aliases(name)).toBeUndefined();
});

test("a director that is a real server, too, is so in its own table only, and gets no VIP on lo", async () => {
  const realServers = [
    { name: "one", address: "198.51.100.2", ...lb1 },
    // without a connection it is a director by its address
    { name: "two", address: "198.51.100.3", localnode: true },
    web.realServers[0],
  ];
  const directors = web.directors.map((one, i) => ({ ...one, address: `198.51.100.${2 + i}` }));
  const { on, all } = await made(DrCluster, { ...web, directors, realServers });
  const members = (host: string) =>
    on(host).flatMap(({ type, inputs }) => (type === "RealServer" ? [String(inputs.address)] : []));
  expect([...new Set(members("lb1"))].sort()).toEqual(["198.51.100.2", "198.51.100.21"]);
  expect([...new Set(members("lb2"))].sort()).toEqual(["198.51.100.21", "198.51.100.3"]);
  expect(all.filter(({ type }) => type === "ArpSuppression")).toHaveLength(1);
  const pool = await made(DrCluster, { ...web, directors, realServers, pool: true });
  const [service] = pool.on("lb2").filter(({ type }) => type === "VirtualService");
  expect(Object.keys(service?.inputs.realServers as object)).toEqual(["198.51.100.21:80", "198.51.100.3:80"]);
});

test("the inside gateways of a NAT cluster float with the VIPs, and real servers answer through them", async () => {
  const nat = {
    ...web,
    directors: [{ ...web.directors[0], insideInterface: "eth2" }, lb2],
    vrrp: { routerId: 51, gateways: [{ address: "10.1.0.1", prefixLength: 24 }, "2001:db8:1::1"] },
    returnRoutes: ["default", "2001:db8:9::/48"],
  };
  const { inputs, on } = await made(NatCluster, nat);
  expect(inputs("web-lb2-vrrp")).toMatchObject({
    addresses: [
      { address: "198.51.100.10" },
      { address: "10.1.0.1", prefixLength: 24, interface: "eth2" },
      { address: "2001:db8:1::1", interface: "eth2" },
    ],
  });
  expect(inputs("web-a-route-default")).toMatchObject({ via: "10.1.0.1" });
  expect(inputs("web-a-route-2001:db8:9::/48")).toMatchObject({ via: "2001:db8:1::1" });
  for (const host of ["lb1", "lb2"])
    expect(on(host).find(({ type }) => type === "IpForwarding")?.inputs).toMatchObject({
      interfaces: ["eth0", "eth2"],
    });
  const { gateways: _, ...vrrp } = nat.vrrp;
  // what the first director leaves out is that of the second one
  const turned = [lb2, { ...nat.directors[0], mcastInterface: "eth3" }];
  const without = await made(NatCluster, { ...nat, directors: turned, vrrp, returnRoutes: [] });
  expect(without.inputs("web-lb2-vrrp")).toMatchObject({
    ...{ trackInterfaces: ["eth2"], interface: "eth0", priority: 150, preemptDelay: 30 },
  });
  expect(without.inputs("web-lb2-timeouts")).toMatchObject({ tcp: 100 });
  expect(without.inputs("web-lb2-sync-master")).toMatchObject({ mcastInterface: "eth1" });
  // with one interface there is none to track
  const [first] = nat.directors;
  const armed = [{ ...first, insideInterface: "eth0" }];
  const one = await made(NatCluster, { ...nat, directors: armed, vrrp, returnRoutes: [] });
  expect(one.inputs("web-lb1-vrrp")?.trackInterfaces).toBeUndefined();
});

test("the outputs name the services of each director, each member once, and which director has the VIPs", async () => {
  const { cluster } = await made(DrCluster, web);
  expect((await known(cluster.services)).sort()).toEqual(
    ["lb1", "lb2"].flatMap((host) => [25, 80].map((port) => `id of web-${host}-tcp-198.51.100.10-${port}`)),
  );
  expect(await known(cluster.vips)).toEqual(["198.51.100.10"]);
  expect(Object.keys(await known(cluster.directors))).toEqual(["lb1", "lb2"]);
  expect(Object.keys(await known(cluster.health))).toEqual([
    "id of web-lb1-tcp-198.51.100.10-80",
    "id of web-lb2-tcp-198.51.100.10-80",
  ]);
});

test("the probe asks no single director, because it does not know which one has the VIP", async () => {
  const probe = { from: { host: "client1" }, arp: true };
  const { inputs, needs } = await made(DrCluster, { ...web, probe });
  expect(inputs("web-probe-198.51.100.10-80")).toMatchObject({ arp: true });
  expect(inputs("web-probe-198.51.100.10-80")?.director).toBeUndefined();
  expect(JSON.stringify(inputs("web-probe-198.51.100.10-80")?.triggers)).not.toMatch(/lb1|client1/);
  expect(await needs("web-probe-198.51.100.10-80")).toEqual(
    expect.arrayContaining(["web-lb1-vrrp", "web-lb2-vrrp"]),
  );
});

test("directors may be outputs where they decide no resource", async () => {
  const directors = [
    { name: "one", connection: pulumi.output({ host: "lb1" }), interface: pulumi.output("eth0") },
    { name: "two", connection: { host: pulumi.output("lb2") }, mcastInterface: pulumi.output("eth3") },
  ];
  const later = pulumi.output(["eth5"]);
  const gateways = [{ address: pulumi.output("2001:db8:1::1") }, "10.1.0.1"];
  const inside = directors.map((one) => ({ ...one, insideInterface: "eth2" }));
  const nat = await program(() => [
    new NatCluster("web", {
      ...{ ...web, directors: inside, vrrp: { routerId: 51, gateways }, returnRoutes: ["10.0.0.0/8"] },
    } as never),
    new NatCluster("mail", {
      ...{ ...web, vips: ["198.51.100.11"], directors: inside },
      vrrp: { routerId: 52, trackInterfaces: later, preempt: pulumi.output(false) },
    } as never),
  ]);
  expect(nat.error).toBeUndefined();
  const natInputs = (name: string) => nat.all.find((one) => one.name === name)?.inputs;
  expect(natInputs("web-a-route-10.0.0.0/8")).toMatchObject({ via: "10.1.0.1" });
  expect(natInputs("mail-one-vrrp")).toMatchObject({ trackInterfaces: ["eth5", "eth2"], preempt: false });
  expect(natInputs("mail-one-vrrp")?.preemptDelay).toBeUndefined();
  const { all, error } = await program(
    () =>
      new DrCluster("web", {
        ...web,
        directors,
        vrrp: { routerId: 51, preemptDelay: pulumi.output(5) },
        sync: { mcastInterface: "eth1", syncid: pulumi.output(3) },
      }),
  );
  expect(error).toBeUndefined();
  const inputs = (name: string) => all.find((one) => one.name === name)?.inputs;
  expect(inputs("web-two-vrrp")).toMatchObject({ interface: "eth0", preemptDelay: 5 });
  expect(inputs("web-two-sync-backup")).toMatchObject({ mcastInterface: "eth3", syncid: 3 });
  expect(inputs("web-one-sync-master")).toMatchObject({ mcastInterface: "eth1" });
});

test("all four sync daemons have what `sync` says", async () => {
  const sync = {
    ...{ mcastInterface: "eth1", syncid: 7, syncMaxlen: 2000 },
    ...{ mcastGroup: "239.1.2.3", mcastPort: 9000, mcastTtl: 2 },
  };
  const { all } = await made(DrCluster, { ...web, sync });
  const daemons = all.filter(({ type }) => type === "SyncDaemon").map(({ inputs }) => inputs);
  expect(daemons.map((inputs) => `${hostOf(inputs)} ${inputs.state}`).sort()).toEqual([
    ...["lb1 backup", "lb1 master", "lb2 backup", "lb2 master"],
  ]);
  for (const daemon of daemons) expect(daemon).toMatchObject(sync);
});

test("two clusters on the same two directors share their sync daemons", async () => {
  const mail = { ...web, vips: ["198.51.100.11"], vrrp: { routerId: 52 } };
  expect(mistakesOf({ web: { kind: "dr", ...web }, mail: { kind: "dr", ...mail } })).toEqual([]);
  const { all, error } = await program(() => [
    new DrCluster("web", web as never),
    new DrCluster("mail", mail as never),
  ]);
  expect(error).toBeUndefined();
  expect(namesOf(all.filter(({ type }) => type === "SyncDaemon"))).toEqual(
    ["lb1", "lb2"].flatMap((host) => ["backup", "master"].map((state) => `web-${host}-sync-${state}`)),
  );
  const other = { ...mail, sync: { mcastInterface: "eth1", syncid: 8 } };
  expect(mistakesOf({ web: { kind: "dr", ...web }, mail: { kind: "dr", ...other } })).toEqual(
    ["master", "backup", "master", "backup"].map(
      (state, i) =>
        `clusters.mail.sync: differs from clusters.web.sync; the ${state} sync daemon of ${i < 2 ? "lb1" : "lb2"} can have one value only; write the same in both clusters`,
    ),
  );
});

test("a pool has its PoolDrains after the services of all directors, if these copy connections", async () => {
  const drain = { timeout: 30 };
  const pooled = { ...web, services: [{ port: 80 }], pool: true, drain };
  const { on, needs, inputs } = await made(DrCluster, pooled);
  for (const host of ["lb1", "lb2"]) {
    const service = `web-${host}-tcp-198.51.100.10-80`;
    expect(inputs(service)).toMatchObject({ drainLater: true });
    expect(inputs(`${service}-drain`)).toMatchObject({
      service: `id of ${service}`,
      realServers: { "198.51.100.21:80": drain, "198.51.100.22:80": drain },
    });
    expect(await needs(`${service}-drain`)).toEqual(["web-lb1-vrrp", "web-lb2-vrrp"]);
    expect(on(host).filter(({ type }) => type === "PoolDrain")).toHaveLength(1);
  }
  const { sync, drain: _, ...without } = pooled;
  // The update that takes the last drain out ends that one, too.
  const undrained = await made(DrCluster, { ...without, sync });
  expect(undrained.inputs("web-lb1-tcp-198.51.100.10-80")).toMatchObject({ drainLater: true });
  expect(undrained.inputs("web-lb1-tcp-198.51.100.10-80-drain")).toMatchObject({
    realServers: { "198.51.100.21:80": null, "198.51.100.22:80": null },
  });
  for (const other of [
    { ...without, drain },
    { ...pooled, directors: web.directors.slice(0, 1) },
  ]) {
    const { all } = await made(DrCluster, other);
    expect(all.filter(({ type }) => type === "PoolDrain")).toEqual([]);
    expect(all.filter(({ inputs: { drainLater } }) => drainLater)).toEqual([]);
  }
});
