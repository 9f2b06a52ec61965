import { describe, expect, test } from "vitest";
import type { Definition } from "../../providers/engine/define.js";
import type { Bag } from "../../providers/engine/inputs.js";
import { definitions } from "../support/fake/definitions.js";
import { fakeHost, resources } from "../support/fake/engine.js";
import { type FakeHost, shells } from "../support/fake/fake-host.js";

const kind = (name: string, fake: FakeHost) => resources(definitions.get(name) as Definition, fake);

/** A director and a real server in one: a bit of everything, in an order in which a stack would make it. */
const everything: [string, Bag][] = [
  ["kernel-module", { name: "ip_vs", options: { conn_tab_bits: "15" } }],
  ["ip-forwarding", { sendRedirects: false, interfaces: ["eth0"] }],
  ["sysctl", { name: "net.ipv4.vs.expire_nodest_conn", value: "1" }],
  ["arp-suppression", {}],
  ["ipvs-timeouts", { tcp: 7200, udp: 30 }],
  ["sync-daemon", { state: "master", mcastInterface: "eth1", syncid: 7 }],
  ["sync-daemon", { state: "backup", mcastInterface: "eth1", syncid: 8, mcastGroup: "ff02::81" }],
  ["virtual-service", { address: "192.168.0.219", port: 80, persistence: { timeout: 60 } }],
  ["virtual-service", { fwmark: 10, scheduler: "rr" }],
  ["virtual-service", { fwmark: 11, scheduler: "mh", schedulerFlags: ["mh-port"] }],
  ["real-server", { service: "tcp://192.168.0.219:80", address: "192.168.10.11", port: 80, weight: 3 }],
  [
    "real-server",
    { service: "fwmark://10", address: "192.168.10.12", port: 0, upperThreshold: 100, lowerThreshold: 50 },
  ],
  ["virtual-address", { interface: "eth0", address: "192.168.0.219", label: "eth0:1" }],
  ["host-route", { destination: "10.0.0.0/8", via: "192.168.10.1", source: "192.168.0.219" }],
];

async function make(fake: FakeHost, args: Bag = {}): Promise<{ name: string; props: Bag }[]> {
  const made: { name: string; props: Bag }[] = [];
  for (const [i, [name, own]] of everything.entries()) {
    const { props } = await kind(name, fake).create({ ...own, ...args }, `shop/prod/${i}`);
    made.push({ name, props });
  }
  return made;
}

/** What systemd was told so far. */
const calls = (fake: FakeHost): string[] => fake.lines("log").filter((line) => line.startsWith("systemctl"));

describe.each(shells.map((shell) => [shell.join(" "), shell] as const))("after a reboot (%s)", (_, shell) => {
  test("everything is there again, with its owners, and goes without trace", async () => {
    const fake = fakeHost({ shell });
    fake.withModules();
    const booted = fake.image();
    const untouched = fake.snapshot();
    const made = await make(fake);
    const before = fake.snapshot();

    await fake.reboot(booted);
    expect(fake.lines("ipvs")).toEqual([]);
    expect(await fake.start()).toBe("");

    expect(fake.snapshot()).toBe(before);
    await fake.newRun();
    for (const { name, props } of made) expect((await kind(name, fake).read(props)).props).toEqual(props);
    for (const { name, props } of made.reverse()) await kind(name, fake).delete(props);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("nothing is there again of what was to last until then only", async () => {
    const fake = fakeHost({ shell });
    fake.withModules();
    const booted = fake.image();
    const untouched = fake.snapshot();
    await make(fake, { persist: false });
    expect(fake.has("etc/pulumi-lvs")).toBe(false);
    await fake.reboot(booted);
    await fake.start();
    expect(fake.snapshot()).toBe(untouched);
  });
});

test("the VIP comes last, so that no client comes in before a server can answer", async () => {
  const fake = fakeHost();
  fake.withModules();
  const booted = fake.image();
  const made = await make(fake);
  // made last, it is still before the VIP
  await kind("real-server", fake).create(
    { service: "tcp://192.168.0.219:80", address: "192.168.10.13", port: 80 },
    "shop/prod/late",
  );
  expect(made).toHaveLength(everything.length);
  await fake.reboot(booted);
  fake.write("log", "");
  await fake.start();
  const order = fake
    .lines("log")
    .filter((line) => /^(modprobe ip_vs|ipvsadm -R|ip (addr|-4 route) add)/.test(line))
    .map((line) => line.split(" ").slice(0, 2).join(" "));
  // what comes after is the watch that is kept on addresses
  expect(order.slice(0, 5)).toEqual(["modprobe ip_vs", "ipvsadm -R", "ipvsadm -R", "ip addr", "ip -4"]);
});

test("started again in the same boot, it brings back addresses and routes only, and changes nothing else", async () => {
  const fake = fakeHost();
  const made = await make(fake);
  expect(made).toHaveLength(everything.length);
  // the first start after installation is the package's own
  await fake.start();
  const before = fake.snapshot();
  const table = fake.read("ipvs");
  // networkd has started anew, and the table was edited by hand
  fake.write("addresses", fake.read("addresses").replace(/.*192\.168\.0\.219.*\n/, ""));
  fake.write("routes", fake.read("routes").replace(/.*10\.0\.0\.0.*\n/, ""));
  fake.write("ipvs", table.replace("-w 3", "-w 9"));
  fake.write("proc/sys/net/ipv4/vs/expire_nodest_conn", "0\n");
  await fake.start();
  expect(fake.read("ipvs")).toBe(table.replace("-w 3", "-w 9"));
  expect(fake.sysctl("net/ipv4/vs/expire_nodest_conn")).toBe("0");
  fake.write("ipvs", table);
  fake.write("proc/sys/net/ipv4/vs/expire_nodest_conn", "1\n");
  expect(fake.snapshot()).toBe(before);
});

test("while another process holds the host's lock, the boot waits a bounded time and says so; then it is tried on", async () => {
  const fake = fakeHost();
  fake.lockSeconds = 0.2;
  fake.withModules();
  const booted = fake.image();
  await make(fake);
  const before = fake.snapshot();
  await fake.reboot(booted);
  fake.write("failed", "1000\n");
  const release = await fake.holdLock();
  const ends = fake.start();
  // it has given up waiting, and goes on in the background
  await expect.poll(() => fake.read("failed"), { timeout: 60_000 }).not.toBe("1000\n");
  expect(fake.lines("ipvs")).toEqual([]);
  await release();
  expect(await ends).toMatch(/cannot restore the records: the lock \S+ is held/);
  expect(fake.lines("log")).toContain("systemctl start --no-block pulumi-lvs.service");
  fake.remove("failed");
  expect(await fake.start()).toBe("");
  expect(fake.snapshot()).toBe(before);
});
test("it is started where there is something to bring back, by the boot and by whatever sets up the network", async () => {
  const fake = fakeHost();
  await make(fake);
  // systemd has not read the links, which takes it seconds
  expect(calls(fake)).toEqual(["systemctl restart --no-block pulumi-lvs.service"]);
  for (const starter of ["multi-user.target", "systemd-networkd.service", "NetworkManager.service"])
    expect(fake.has(`etc/systemd/system/${starter}.wants/pulumi-lvs.service`)).toBe(true);
});

test.each([
  ["has systemd read the links to it", "\n", "running\n", ["systemctl daemon-reload"]],
  ["needs nothing of a systemd that has read them", "multi-user.target\n", "running\n", []],
  [
    "has systemd read all links if it knows one",
    "networking.service\n",
    "running\n",
    ["systemctl daemon-reload"],
  ],
  ["needs nothing of a system that goes down", "\n", "stopping\n", []],
])("the unit that a network service stops %s", async (_, known, system, expected) => {
  const fake = fakeHost();
  await make(fake);
  fake.write("wanted-by", known);
  fake.write("system", system);
  const before = calls(fake).length;
  expect(await fake.stop()).toBe("");
  expect(calls(fake).slice(before)).toEqual(expected);
});

test.each([
  ["forgets links that systemd has read", "multi-user.target\n", ["systemctl daemon-reload"]],
  ["does not have systemd read what it does not know", "\n", []],
])("the last deletion %s", async (_, known, expected) => {
  const fake = fakeHost();
  const made = await make(fake);
  fake.write("wanted-by", known);
  const before = calls(fake).length;
  for (const { name, props } of made.reverse()) await kind(name, fake).delete(props);
  fake.host.close();
  await fake.quiet();
  expect(calls(fake).slice(before)).toEqual([
    "systemctl stop pulumi-lvs.service",
    "systemctl reset-failed pulumi-lvs.service",
    ...expected,
  ]);
});

test("after an upgrade of the package too, what networkd takes away comes back", async () => {
  const fake = fakeHost();
  await make(fake);
  await fake.start();
  // an older text: the new one is written with the next change, while the unit runs, so that starting it does nothing
  fake.write("etc/pulumi-lvs/restore", "# pulumi-lvs 000000000000\nexit 0\n");
  await fake.newRun();
  await kind("virtual-service", fake).create({ address: "192.168.0.220", port: 80 }, "shop/prod/new");
  expect(fake.lines("etc/pulumi-lvs/restore").length).toBeGreaterThan(2);
  fake.write("addresses", fake.read("addresses").replace(/.*192\.168\.0\.219.*\n/, ""));
  expect(await fake.start()).toBe("");
  expect(fake.read("addresses")).toContain("192.168.0.219/32");
});
