import { describe, expect, test } from "vitest";
import { type Forget, forget } from "../../../cli/forget/forget.js";
import { parseCommandLine } from "../../../cli/program.js";
import type { Definition } from "../../../providers/engine/define.js";
import type { Bag } from "../../../providers/engine/inputs.js";
import { definitions } from "../../support/fake/definitions.js";
import { fakeHost, resources } from "../../support/fake/engine.js";
import type { FakeHost } from "../../support/fake/fake-host.js";

const kind = (name: string, fake: FakeHost) => resources(definitions.get(name) as Definition, fake);

/** Runs the command on a fake host: its exit code, what it lists, and what it says besides. */
async function run(fake: FakeHost, given: Partial<Forget> = {}) {
  await fake.newRun();
  const [listed, printed]: [string[], string[]] = [[], []];
  const code = await forget(
    { connection: { host: "director1" }, yes: false, ...given },
    { list: (line) => listed.push(line), log: (line) => printed.push(line) },
    () => fake.host,
  );
  return { code, listed, printed };
}

const web = { address: "192.168.0.219", port: 80 };
const vip = { interface: "eth0", address: "192.168.0.219" };
const route = { destination: "10.0.0.0/8", via: "192.168.10.1" };

const everything: [string, Bag][] = [
  ["kernel-module", { name: "ip_vs" }],
  ["sysctl", { name: "net.ipv4.vs.expire_nodest_conn", value: "1" }],
  ["arp-suppression", {}],
  ["ipvs-timeouts", { udp: 30 }],
  ["sync-daemon", { state: "master", mcastInterface: "eth1" }],
  ["virtual-service", web],
  ["real-server", { service: "tcp://192.168.0.219:80", address: "192.168.10.11", port: 80 }],
  ["health-monitor", { service: "tcp://192.168.0.219:80" }],
  ["virtual-address", vip],
  ["host-route", route],
];

async function make(fake: FakeHost): Promise<void> {
  for (const [name, args] of everything) await kind(name, fake).create(args, `shop/prod/${name}`);
}

const gone = (fake: FakeHost, file: string, what: RegExp) =>
  fake.write(file, fake.read(file).replace(what, ""));

describe("pulumi-lvs forget", () => {
  test("has nothing to say of a host where all that is recorded is there, nor of one where nothing is", async () => {
    const fake = fakeHost();
    expect(await run(fake)).toEqual({
      code: 0,
      listed: [],
      printed: ["director1 has nothing to forget"],
    });
    await make(fake);
    const before = fake.snapshot();
    expect((await run(fake, { yes: true })).code).toBe(0);
    expect(fake.snapshot()).toBe(before);
  });

  test("lists each record whose thing is not there, changes nothing, and ends with 3", async () => {
    const fake = fakeHost();
    await make(fake);
    gone(fake, "ipvs", /-a .*\n/);
    gone(fake, "addresses", /.*192\.168\.0\.219.*\n/);
    gone(fake, "routes", /.*10\.0\.0\.0.*\n/);
    gone(fake, "daemons", /.*\n/);
    fake.remove("proc/sys/net/ipv4/vs/expire_nodest_conn");
    fake.write("etc/pulumi-lvs/boot", `${fake.read("etc/pulumi-lvs/boot")}50\tobject\tcut o\u001b[31mff\n`);
    const before = fake.snapshot();
    const { code, listed, printed } = await run(fake);
    expect(code).toBe(3);
    expect(listed).toEqual([
      "Sysctl sysctl/net.ipv4.vs.expire_nodest_conn of shop/prod/sysctl: a record, and nothing is there",
      "SyncDaemon sync-daemon/master of shop/prod/sync-daemon: a record, and nothing is there",
      "RealServer tcp://192.168.0.219:80/192.168.10.11:80 of shop/prod/real-server: a record, and nothing is there",
      "VirtualAddress eth0/192.168.0.219 of shop/prod/virtual-address: a record, and nothing is there",
      "HostRoute route/10.0.0.0/8 of shop/prod/host-route: a record, and nothing is there",
      "50 object cut o\\u001b[31mff: a line that is not a record",
    ]);
    const { listed: asJson } = await run(fake, { json: true });
    expect(JSON.parse(asJson.join("\n"))).toHaveLength(listed.length);
    expect(JSON.parse(asJson.join("\n"))[0]).toEqual({
      host: "director1",
      text: listed[0],
      thing: "Sysctl sysctl/net.ipv4.vs.expire_nodest_conn",
      owner: "shop/prod/sysctl",
      lifetime: "persistent",
    });
    expect(printed[0]).toMatch(/cannot know whether a stack still declares these; run pulumi refresh/);
    expect(fake.snapshot()).toBe(before);
  });

  test("with --yes takes these away, so that a boot neither brings them back nor waits for them", async () => {
    const fake = fakeHost();
    const booted = fake.image();
    await make(fake);
    gone(fake, "ipvs", /-a .*\n/);
    gone(fake, "routes", /.*10\.0\.0\.0.*\n/);
    fake.write("etc/pulumi-lvs/boot", `${fake.read("etc/pulumi-lvs/boot")}nonsense\n`);
    expect((await run(fake, { yes: true })).code).toBe(0);
    expect((await run(fake)).listed).toEqual([]);
    fake.remove("etc/pulumi-lvs/monitor");
    await fake.reboot(booted);
    expect(await fake.start()).toBe("");
    expect(fake.lines("ipvs")).toEqual(["-A -t 192.168.0.219:80 -s wlc"]);
    expect(fake.read("routes")).not.toContain("10.0.0.0/8");
    expect(fake.read("addresses")).toContain("192.168.0.219");
  });

  test("with --all-of takes away all records of one stack, and leaves alone what is there", async () => {
    const fake = fakeHost();
    await make(fake);
    await kind("virtual-service", fake).create({ fwmark: 10 }, "blog/prod/web");
    const table = fake.read("ipvs");
    const { code, listed } = await run(fake, { allOf: "shop/prod", yes: true });
    expect(code).toBe(0);
    expect(listed).toHaveLength(everything.length);
    expect(fake.lines("etc/pulumi-lvs/boot")).toEqual([
      "50\tobject\tVirtualService fwmark://10\tblog/prod/web\tservice\t-f\t10\t-s\twlc",
    ]);
    expect(fake.owners()).toEqual(["blog/prod/web VirtualService fwmark://10"]);
    expect(fake.read("ipvs")).toBe(table);
  });

  test("says where a stack has nothing there, such as one whose name is misspelt", async () => {
    const fake = fakeHost();
    await make(fake);
    expect(await run(fake, { allOf: "shop/prd", yes: true })).toEqual({
      code: 0,
      listed: [],
      printed: ["director1 has no record of shop/prd"],
    });
  });

  test("takes a real server that its monitor keeps out for one that is there", async () => {
    const fake = fakeHost();
    await make(fake);
    gone(fake, "ipvs", /-a .*\n/);
    fake.write("run/pulumi-lvs/health", "tcp://192.168.0.219:80\t192.168.10.11:80\tdown\tnow\twhy\n");
    expect((await run(fake)).listed).toEqual([]);
  });

  test("says what is wrong with a connection", async () => {
    const { code, printed } = await run(fakeHost(), { connection: { host: "a b", hostKey: "x" } });
    expect(code).toBe(2);
    expect(printed.join("\n")).toMatch(/--host: .*not a host name[\s\S]*--host-key: is not a public key/);
  });
});

describe("its command line", () => {
  test.each([
    [["forget", "director1"], { connection: { host: "director1" }, yes: false }],
    [
      ["forget", "--yes", "d", "--all-of", "lvs/prod"],
      { connection: { host: "d" }, yes: true, allOf: "lvs/prod" },
    ],
    [
      ["forget", "d", "--user", "admin", "--port=2222", "--sudo", "--private-key-path", "~/.ssh/k", "-y"],
      {
        connection: { host: "d", user: "admin", port: 2222, sudo: true, privateKeyPath: "~/.ssh/k" },
        yes: true,
      },
    ],
  ])("%s", (argv, wanted) => {
    expect(parseCommandLine(argv)).toEqual({ command: "forget", ...wanted });
  });

  test.each([
    [["forget"], /needs the name of a host/],
    [["forget", "a", "b"], /takes one host, not b too/],
    [["forget", "a", "--all-of", "lvs"], /--all-of needs PROJECT\/STACK/],
    [["forget", "a", "--port", "ssh"], /--port needs a number, not "ssh"/],
    [["forget", "a", "--all"], /unknown option '--all'; did you mean --all-of\?/],
  ])("%s is refused", (argv, why) => {
    expect(parseCommandLine(argv)).toMatchObject({ command: "wrong", why: expect.stringMatching(why) });
  });
});
