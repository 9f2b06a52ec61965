import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Engine } from "../../providers/engine/engine.ts";
import type { Bag } from "../../providers/engine/inputs.js";
import { serviceProbe } from "../../providers/service-probe/index.js";
import { hostOf } from "../../src/host/host.js";
import { type HostName, mac } from "../support/machines/hosts.mts";
import { reset, run, sshConfigPath } from "../support/machines/lab.mts";
import { differences, type States, statesOf } from "./host-state.mts";
import { disposing, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";

const hosts = ["client", "director", "rs1", "rs2"] as const;
const engine = new Engine(serviceProbe, hostOf);

/** Asks from a host, as creating a probe does. */
async function probe(from: HostName, args: Bag): Promise<void> {
  const { inputs, failures } = engine.check(
    {},
    { connection: { host: from }, within: 0, requests: 6, ...args },
  );
  expect(failures).toEqual([]);
  await engine.create(inputs);
}

/** What a probe says while something on a host is broken. */
async function saidWhile(host: HostName, broken: string, mended: string, args: Bag): Promise<string> {
  await run(host, broken);
  try {
    return await probe("client", args).then(
      () => "nothing",
      (error: Error) => error.message,
    );
  } finally {
    await run(host, mended);
  }
}

const configuration = (cluster: string) => `config:
  lvs:clusters:
    web:
      probe: { from: { host: client }, servers: 2, arp: true, requests: 10, within: 5 }
${cluster}`;

const nat = configuration(`      kind: nat
      director: { connection: { host: director }, interface: eth1, insideInterface: eth2, dip: 192.168.10.10 }
      vips: [192.168.0.219]
      services: [{ port: 80, scheduler: rr, realServerPort: 80 }]
      realServers:
        - { name: rs1, address: 192.168.10.11, connection: { host: rs1 } }
        - { name: rs2, address: 192.168.10.12, connection: { host: rs2 } }
      returnRoutes: [192.168.0.100]
`);

const dr = configuration(`      kind: dr
      director: { connection: { host: director }, interface: eth1 }
      vips: [192.168.0.210]
      services: [{ port: 80, scheduler: rr }]
      realServers:
        - { name: rs1, address: 192.168.0.221, connection: { host: rs1 } }
        - { name: rs2, address: 192.168.0.222, connection: { host: rs2 } }
`);

const flags = ["--stack", "probe", "--yes", "--skip-preview", "--non-interactive", "--color", "never"];
const director = { host: "director" };

beforeAll(() => {
  process.env.LVS_SSH_CONFIG = sshConfigPath();
});

/** Ends connections to machines that begin anew. */
const hangUp = () => {
  for (const host of hosts) hostOf({ host }, host).close();
};

afterAll(hangUp);

onLab("probes of an LVS/NAT cluster", () => {
  const keep = disposing();
  const url = "http://192.168.0.219/";
  let stack: Stack;
  let before: States;

  it("ask from the client when the cluster comes up, and leave no trace there", async () => {
    const clean = await statesOf(["client"]);
    stack = keep(await Stack.ofEnvironment("probe", { configuration: nat }));
    stack.environment({ PULUMI_HOME: join(stack.folder, ".pulumi-home") });
    const { code, text } = await stack.pulumiLvs(["up", ...flags]);
    expect(code, text).toBe(0);
    expect(text).toMatch(/ServiceProbe web-probe-192\.168\.0\.219-80 created/);
    expect(differences(clean, await statesOf(["client"]))).toEqual([]);
    before = await statesOf(hosts);
  });

  it("say nothing where all is well, and change nothing", async () => {
    const spread = { servers: 2, shares: { rs1: 0.5, rs2: 0.5 } };
    await probe("client", { url, spread, arp: true, director });
    await probe("client", { url, arp: { mac: mac("director", 1) } });
    await probe("client", { url: "tcp://192.168.0.219:80" });
    expect(differences(before, await statesOf(hosts))).toEqual([]);
  });

  it("answers the director too", async () => {
    await probe("director", { url, spread: { servers: 2 } });
  });

  it("say which reply was wrong, and whose", async () => {
    const missing = probe("client", { url: `${url}missing`, director });
    await expect(missing).rejects.toThrow(
      /^probe\/http:\/\/192\.168\.0\.219\/missing failed on client: 1 of the first 1 requests failed: the status is 404, wanted 200; that was real server 192\.168\.10\.1[12]:80$/,
    );
    await probe("client", { url: `${url}missing`, status: 404 });
    await expect(probe("client", { url, contains: "rs3" })).rejects.toThrow(/does not contain "rs3"$/);
    await expect(probe("client", { url, spread: { servers: 3 } })).rejects.toThrow(
      'replies came from "rs1" (3), "rs2" (3): wanted 3 servers',
    );
  });

  it("name the real server whose way back is gone", async () => {
    const route = "192.168.0.100 via 192.168.10.10 dev eth2";
    expect(
      await saidWhile("rs2", `ip route del ${route}`, `ip route add ${route}`, { url, director }),
    ).toMatch(
      /timed out.*; real server 192\.168\.10\.12:80 got the connection, but its answer does not arrive: is it up, and does it answer by way of the director\?$/,
    );
  });

  it("name the real server where nothing listens", async () => {
    expect(
      await saidWhile("rs1", "systemctl stop nginx", "systemctl start nginx", { url, director }),
    ).toMatch(/\(7\).*; real server 192\.168\.10\.11:80 got it: does anything listen there\?$/);
  });

  it("say that the director has no VIP, no service, or no server behind it", async () => {
    const address = "192.168.0.219/32 dev eth1";
    expect(
      await saidWhile("director", `ip addr del ${address}`, `ip addr add ${address}`, { url, director }),
    ).toMatch(/; nothing of it reached the director: does it have the VIP/);
    const weights = (weight: number) =>
      [11, 12].map((n) => `ipvsadm -e -t 192.168.0.219:80 -r 192.168.10.${n}:80 -m -w ${weight}`).join("; ");
    expect(await saidWhile("director", weights(0), weights(1), { url, director })).toMatch(
      /; the director has no real server for tcp:\/\/192\.168\.0\.219:80 that takes connections$/,
    );
    await expect(probe("client", { url: "http://192.168.0.219:81/", director })).rejects.toThrow(
      /; the director has no service tcp:\/\/192\.168\.0\.219:81$/,
    );
  });

  it("say who else answers ARP for the VIP", async () => {
    const address = "192.168.0.219/32 dev eth1";
    const said = await saidWhile("rs1", `ip addr add ${address}`, `ip addr del ${address}`, {
      url,
      arp: true,
    });
    expect(said).toContain("answer ARP for 192.168.0.219; all but the director must keep silent");
    for (const host of ["director", "rs1"] as const) expect(said).toContain(mac(host, 1));
  });

  it("fail an update that breaks the cluster, which is then rolled back on every host", async () => {
    await run("client", "ip neigh flush to 192.168.0.219");
    before = await statesOf(hosts);
    await stack.edit("realServerPort: 80", "realServerPort: 81");
    const { code, text } = await stack.pulumiLvs(["up", ...flags]);
    expect(code, text).toBe(10);
    expect(text).toMatch(
      /ServiceProbe web-probe-192\.168\.0\.219-80: probe\/http:\/\/192\.168\.0\.219\/ failed on client: .*real server 192\.168\.10\.1[12]:81 got it: does anything listen there\?/,
    );
    expect(text).toMatch(/rolled back: hosts and state are as they were before the update/);
    expect(differences(before, await statesOf(hosts))).toEqual([]);
    await probe("client", { url, spread: { servers: 2 }, arp: true, director });
    await stack.edit("realServerPort: 81", "realServerPort: 80");
    const preview = await stack.pulumi("preview", "--expect-no-changes");
    expect(preview.code, preview.text).toBe(0);
  });

  it("go away with the stack, without being asked", async () => {
    await run("client", "mv /usr/bin/curl /usr/bin/curl.away");
    try {
      await stack.destroy();
    } finally {
      await run("client", "mv /usr/bin/curl.away /usr/bin/curl");
    }
  });
});

onLab("probes of an LVS/DR cluster", () => {
  const keep = disposing();
  const url = "http://192.168.0.210/";
  let stack: Stack;

  it("ask from the client when the cluster comes up, also for ARP", async () => {
    hangUp();
    stack = keep(await Stack.ofEnvironment("probe", { configuration: dr }));
    await stack.up();
    await probe("client", { url, spread: { servers: 2 }, arp: true, director });
  });

  it("name the real server that lacks the VIP", async () => {
    const vip = "192.168.0.210/32 dev lo label lo:0";
    const said = await saidWhile("rs2", `ip addr del ${vip}`, `ip addr add ${vip}`, { url, director });
    expect(said).toMatch(
      /timed out.*; real server 192\.168\.0\.222:80 got the connection, but its answer does not arrive: is it up, and does it have 192\.168\.0\.210 on lo\?$/,
    );
  });

  it("say who else answers ARP where a real server is not silent", async () => {
    const set = (value: number) =>
      `sysctl -qw net.ipv4.conf.all.arp_ignore=${value} net.ipv4.conf.lo.arp_ignore=${value}`;
    const said = await saidWhile("rs1", set(0), set(1), { url, arp: true, director });
    expect(said).toContain(`${mac("rs1", 1)} answers ARP for 192.168.0.210, and is not the director`);
  });

  it("say from the director why it gets no answer", async () => {
    await expect(probe("director", { url, director })).rejects.toThrow(/so probe from another host$/);
  });

  it("go away with the stack", async () => {
    await stack.destroy();
    await reset();
  });
});
