import { describe, expect, test } from "vitest";
import type { Definition } from "../../providers/engine/define.js";
import type { Bag } from "../../providers/engine/inputs.js";
import { definitions } from "../support/fake/definitions.js";
import { fakeHost, resources } from "../support/fake/engine.js";
import { type FakeHost, shells } from "../support/fake/fake-host.js";

const kind = (name: string, fake: FakeHost) => resources(definitions.get(name) as Definition, fake);

const records = "etc/pulumi-lvs/boot";
const restore = "etc/pulumi-lvs/restore";
const patient = { timeout: 60_000 };

/** Makes each of these on a host, reboots it, and returns what a stack would have in state. */
async function rebooted(fake: FakeHost, declared: readonly [string, Bag, string?][]) {
  const booted = fake.image();
  const made: { name: string; props: Bag }[] = [];
  for (const [i, [name, args, stack = "shop/prod"]] of declared.entries())
    made.push({ name, props: (await kind(name, fake).create(args, `${stack}/${i}`)).props });
  const before = fake.snapshot();
  await fake.reboot(booted);
  return { made, before };
}

const web = { address: "192.168.0.219", port: 80 };
const server = { service: "tcp://192.168.0.219:80", address: "192.168.10.11", port: 80 };
const pooled = {
  ...{ ...web, port: 81 },
  realServers: { "192.168.10.11:81": { weight: 3 }, "192.168.10.12:81": { upperThreshold: 9 } },
};
const vip = { interface: "eth0", address: "192.168.0.219" };
const other = { address: "192.168.0.220", port: 80, scheduler: "sh" };
const otherVip = { interface: "eth0", address: "192.168.0.220" };

/** A kernel that lacks a scheduler until it is mended. */
function withoutScheduler(fake: FakeHost, name: string): () => void {
  // it is no module of the fake kernel's, so a file that is half written when it is read loads none
  const schedulers = fake.read("schedulers");
  fake.write("schedulers", schedulers.replace(`${name}\n`, ""));
  return () => fake.write("schedulers", schedulers);
}

/** Addresses wait for so many seconds, instead of one. */
const waiting = (fake: FakeHost, seconds: number) =>
  fake.write(restore, fake.read(restore).replace(/^OVERDUE_SECONDS=.*$/m, `OVERDUE_SECONDS=${seconds}`));

const has = (fake: FakeHost, address: string) => fake.read("addresses").includes(` ${address}/32 `);

describe("at boot, what cannot be brought back", () => {
  test("delays the address of its own service and no other, and is named with what to do", async () => {
    const fake = fakeHost();
    const { before } = await rebooted(fake, [
      ["virtual-service", web],
      ["real-server", server],
      ["virtual-service", pooled],
      ["virtual-address", vip],
      ["virtual-service", other],
      ["virtual-address", otherVip],
    ]);
    const mend = withoutScheduler(fake, "sh");
    waiting(fake, 3600);
    const ends = fake.start();
    await expect.poll(() => has(fake, "192.168.0.219"), patient).toBe(true);
    expect(has(fake, "192.168.0.220")).toBe(false);
    mend();
    expect(await ends).toBe("");
    waiting(fake, 1);
    expect(fake.snapshot()).toBe(before);
  });

  test("a service, keeps its address away after the bound too, because the director itself would answer", async () => {
    const fake = fakeHost();
    await rebooted(fake, [
      ["virtual-service", other],
      ["virtual-address", otherVip],
    ]);
    withoutScheduler(fake, "sh");
    const printed = await fake.start();
    expect(printed).toMatch(/cannot restore VirtualService tcp:\/\/192\.168\.0\.220:80: .*not found$/m);
    expect(printed).toMatch(
      /VirtualAddress eth0\/192\.168\.0\.220 waits for VirtualService tcp:\/\/192\.168\.0\.220:80$/m,
    );
    expect(printed).toMatch(/npx pulumi-lvs forget HOST, else: pulumi up --refresh$/m);
    expect(has(fake, "192.168.0.220")).toBe(false);
    // As long as this file is there, the agent adds no route that announces the address.
    expect(fake.has("run/pulumi-lvs/restored.end")).toBe(true);
  });

  test.each([
    ["a real server", "RealServer", /-r 192\.168\.10\.11:80.*\n/],
    ["one of two services", "VirtualService", /-A -t 192\.168\.0\.219:443.*\n/],
  ])("%s, delays the address until the bound, and then it comes all the same", async (_, what) => {
    const fake = fakeHost();
    await rebooted(fake, [
      ["virtual-service", web],
      ["virtual-service", { ...web, port: 443, scheduler: "sh" }],
      ["real-server", server],
      ["virtual-address", vip],
    ]);
    if (what === "VirtualService") withoutScheduler(fake, "sh");
    // a service of another program's has gone, as its record says nothing
    else fake.write(records, fake.read(records).replaceAll("192.168.10.11", "192.168.10.300x"));
    waiting(fake, 3600);
    const first = fake.start();
    await expect.poll(() => fake.lines("ipvs").length, patient).toBe(2);
    await expect.poll(() => fake.has("run/pulumi-lvs/restored"), patient).toBe(true);
    expect(has(fake, "192.168.0.219")).toBe(false);
    // the unit is started anew once the time is over
    fake.write("run/pulumi-lvs/restored.end", "0\n");
    waiting(fake, 90);
    expect(await fake.start()).toMatch(new RegExp(`cannot restore ${what} `));
    expect(has(fake, "192.168.0.219")).toBe(true);
    fake.write(records, "");
    fake.remove(records);
    await first;
  });

  test("a setting, delays addresses of its own stack until the bound, and those of other stacks not at all", async () => {
    const fake = fakeHost();
    fake.write("proc/sys/net/netfilter/late", "0\n");
    await rebooted(fake, [
      ["sysctl", { name: "net.netfilter.late", value: "1" }, "shop/prod"],
      ["virtual-address", vip, "shop/prod"],
      ["virtual-address", otherVip, "blog/prod"],
    ]);
    fake.remove("proc/sys/net/netfilter/late");
    waiting(fake, 3600);
    const ends = fake.start();
    await expect.poll(() => has(fake, "192.168.0.220"), patient).toBe(true);
    expect(has(fake, "192.168.0.219")).toBe(false);
    fake.write("proc/sys/net/netfilter/late", "0\n");
    expect(await ends).toBe("");
    expect(has(fake, "192.168.0.219")).toBe(true);
  });

  test("a setting whose name says that something exists, is named and tried on all the same", async () => {
    const fake = fakeHost();
    const late = "proc/sys/net/netfilter/exists";
    fake.write(late, "0\n");
    await rebooted(fake, [["sysctl", { name: "net.netfilter.exists", value: "1" }]]);
    fake.remove(late);
    expect(await fake.start()).toMatch(/cannot restore Sysctl .*net\.netfilter\.exists: .*no such setting/);
    fake.write(late, "0\n");
    expect(await fake.start()).toBe("");
    expect(fake.sysctl("net/netfilter/exists")).toBe("1");
  });

  test("ARP suppression, keeps every IPv4 address away from a real server, for as long as it is missing", async () => {
    const fake = fakeHost();
    await rebooted(fake, [
      ["arp-suppression", { interface: "eth1" }],
      ["virtual-address", { interface: "lo", address: "192.168.0.219" }],
      ["virtual-address", { interface: "lo", address: "2001:db8::219" }],
    ]);
    const late = "proc/sys/net/ipv4/conf/eth1";
    const files = ["arp_ignore", "arp_announce"].map((leaf) => `${late}/${leaf}`);
    for (const file of files) fake.remove(file);
    expect(await fake.start()).toMatch(/cannot restore ArpSuppression .*eth1.*no such setting/);
    const all = ["ignore", "announce"].map((leaf) => fake.sysctl(`net/ipv4/conf/all/arp_${leaf}`));
    expect(all).toEqual(["1", "2"]);
    expect(has(fake, "192.168.0.219")).toBe(false);
    // IPv6 has no ARP
    expect(fake.read("addresses")).toContain("2001:db8::219/128");
    for (const file of files) fake.write(file, "0\n");
    expect(await fake.start()).toBe("");
    expect(files.map((file) => fake.read(file).trim())).toEqual(["1", "2"]);
    expect(has(fake, "192.168.0.219")).toBe(true);
  });

  test("synchronization with another director, delays no address", async () => {
    const fake = fakeHost();
    await rebooted(fake, [
      ["sync-daemon", { state: "master", mcastInterface: "eth1", syncid: 7 }],
      ["virtual-service", web],
      ["virtual-address", vip],
    ]);
    fake.write("links", "lo\neth0\n");
    expect(await fake.start()).toMatch(/cannot restore SyncDaemon/);
    expect(has(fake, "192.168.0.219")).toBe(true);
  });

  test("an address, delays the route that sends from it, which is not named as a failure", async () => {
    const fake = fakeHost();
    await rebooted(fake, [
      ["virtual-service", other],
      ["virtual-address", otherVip],
      ["host-route", { destination: "10.0.0.0/8", via: "192.168.10.1", source: "192.168.0.220" }],
      ["host-route", { destination: "172.16.0.0/12", via: "192.168.10.1" }],
    ]);
    withoutScheduler(fake, "sh");
    const printed = await fake.start();
    expect(printed).toMatch(
      /HostRoute route\/10\.0\.0\.0\/8 waits for VirtualAddress eth0\/192\.168\.0\.220$/m,
    );
    expect(printed).not.toMatch(/cannot restore HostRoute/);
    expect(fake.read("routes")).toContain("172.16.0.0/12");
    expect(fake.read("routes")).not.toContain("10.0.0.0/8");
  });
});

/** A director whose only service needs a scheduler that its kernel lacks for now. */
async function incomplete(fake: FakeHost) {
  const state = await rebooted(fake, [
    ["sysctl", { name: "net.ipv4.vs.expire_nodest_conn", value: "1" }],
    ["virtual-service", other],
    ["virtual-address", otherVip],
  ]);
  return { ...state, mend: withoutScheduler(fake, "sh") };
}

describe("what is missing at boot", () => {
  test("is tried on until it is there, and then its address comes and the unit is well", async () => {
    const fake = fakeHost();
    const { before, mend } = await incomplete(fake);
    fake.write("failed", "1000000\n");
    const ends = fake.start();
    await expect.poll(() => fake.read("failed"), patient).not.toBe("1000000\n");
    expect(has(fake, "192.168.0.220")).toBe(false);
    mend();
    await ends;
    expect(fake.lines("log")).toContain("systemctl start --no-block pulumi-lvs.service");
    expect(fake.read("run/pulumi-lvs/restored")).toBe("");
    fake.remove("failed");
    expect(await fake.start()).toBe("");
    expect(fake.snapshot()).toBe(before);
  });

  test("is given up after a bound, and the journal says how to try it again", async () => {
    const fake = fakeHost();
    fake.giveUpSeconds = 0;
    await incomplete(fake);
    fake.write("failed", "1000000\n");
    const printed = await fake.start();
    expect(printed).toMatch(/stopped after 0 min; systemctl restart pulumi-lvs tries again$/m);
  });

  test("is brought back when the unit is started again, and what was there is left alone", async () => {
    const fake = fakeHost();
    const { before, mend } = await incomplete(fake);
    await fake.start();
    fake.write("proc/sys/net/ipv4/vs/expire_nodest_conn", "0\n");
    mend();
    expect(await fake.start()).toBe("");
    expect(fake.sysctl("net/ipv4/vs/expire_nodest_conn")).toBe("0");
    fake.write("proc/sys/net/ipv4/vs/expire_nodest_conn", "1\n");
    expect(fake.snapshot()).toBe(before);
  });

  test("and given up by its stack meanwhile, is neither made nor waited for", async () => {
    const fake = fakeHost();
    const { made } = await incomplete(fake);
    await fake.start();
    await fake.newRun();
    for (const { name, props } of made.reverse())
      if (name === "virtual-service") await kind(name, fake).delete(props);
    expect(await fake.start()).toBe("");
    expect(fake.lines("ipvs")).toEqual([]);
    expect(has(fake, "192.168.0.220")).toBe(true);
  });
});

describe.each(shells.map((shell) => [shell.join(" "), shell] as const))(
  "no text of a record is run (%s)",
  (_, shell) => {
    const made = async (fake: FakeHost) => {
      await rebooted(fake, [
        ["virtual-service", web],
        ["virtual-address", vip],
      ]);
      return `${fake.root}/canary`;
    };

    test("whatever its verb and arguments are", async () => {
      const fake = fakeHost({ shell });
      const canary = await made(fake);
      const run = [
        `;touch ${canary}`,
        `$(touch ${canary})`,
        `\`touch ${canary}\``,
        `'; touch ${canary} #`,
        "*",
      ];
      const rows = run.flatMap((text) => [
        [
          "50",
          "object",
          "VirtualService tcp://192.168.0.1:80",
          "service",
          "-t",
          `192.168.0.1:80${text}`,
          "-s",
          "wlc",
        ],
        [
          "50",
          "object",
          "VirtualService tcp://192.168.0.2:80",
          "service",
          "-t",
          "192.168.0.2:80",
          "-s",
          `wlc${text}`,
        ],
        [
          "50",
          "object",
          "VirtualService tcp://192.168.0.3:80",
          `service${text}`,
          "-t",
          "192.168.0.3:80",
          "-s",
          "wlc",
          text,
        ],
        [
          "60",
          "object",
          "RealServer tcp://192.168.0.219:80/1",
          "server",
          "-t",
          "192.168.0.219:80",
          "-r",
          text,
        ],
        ["10", "setting", "KernelModule module/x", "module", "x", `a=${text}`],
        ["10", "setting", "KernelModule module/y", "module", `-r${text}`],
        ["30", "setting", "Sysctl sysctl/x", "sysctl", `net.ipv4.${text}`, "1"],
        ["30", "setting", "Sysctl sysctl/y", "sysctl", "net.ipv4//tmp/x", "1"],
        ["30", "setting", "Sysctl sysctl/z", "sysctl", "net.ipv4.ip_forward", `1\\n${text}\x01`],
        ["20", "setting", "IpForwarding x", "forwarding", `net.ipv4.ip_forward${text}`, "1"],
        ["40", "setting", "IpvsTimeouts x", "timeouts", "1", "2", text],
        [
          "40",
          "object",
          "SyncDaemon x",
          "daemon",
          "master",
          `eth0${text}`,
          "1",
          "1472",
          "224.0.0.81",
          "8848",
          "1",
        ],
        ["80", "object", "VirtualAddress eth0/192.168.0.7", "address", "eth0", `192.168.0.7/32${text}`, text],
        [
          "80",
          "object",
          "VirtualAddress eth0/192.168.0.8",
          "address",
          "eth0",
          "192.168.0.8/32",
          "label",
          `eth0:${text}`,
        ],
        ["90", "object", "HostRoute x", "route", "4", "10.9.0.0/16", "via", `192.168.10.1${text}`],
        ["90", "object", "HostRoute y", "route", "4", "10.8.0.0/16", text, "192.168.10.1"],
      ]);
      const lines = rows.map(([rank, nature, thing, ...words], i) =>
        [rank, nature, `${thing}${i}`, `p/s/${text(i)}`, ...words].join("\t"),
      );
      fake.write(records, `${fake.read(records)}${lines.join("\n")}\n`);
      const printed = await fake.start();
      expect(fake.has("canary")).toBe(false);
      expect(printed).toMatch(
        /its record has a wrong form; run pulumi up --refresh, which writes it again$/m,
      );
      // what fits is there
      expect(fake.lines("ipvs")).toContain("-A -t 192.168.0.219:80 -s wlc");
      expect(has(fake, "192.168.0.219")).toBe(true);
      expect(fake.changes().filter((line) => /touch|\*|10\.[89]\./.test(line))).toEqual([]);
    });

    test("a record of an older version is left alone and named, and the next up after a refresh replaces it", async () => {
      const fake = fakeHost({ shell });
      const canary = await made(fake);
      const [service, address] = fake.lines(records);
      const old = [
        "50\tobject\tVirtualService tcp://192.168.0.219:80\tshop/prod/0\tipvsadm -A -t 192.168.0.219:80 -s wlc",
        `80\tobject\tVirtualAddress eth0/192.168.0.219\tshop/prod/1\tip addr add 192.168.0.219/32 dev eth0 && touch ${canary}`,
      ];
      fake.write(records, `${old.join("\n")}\n`);
      const printed = await fake.start();
      expect(fake.has("canary")).toBe(false);
      expect(fake.lines("ipvs")).toEqual([]);
      expect(printed).toMatch(
        /cannot restore VirtualService .*: its record has a wrong form; run pulumi up --refresh/,
      );
      const seen = async () => {
        await fake.newRun();
        const { read, inputsOf } = kind("virtual-service", fake);
        return (await read(inputsOf(web, "shop/prod/0"))).props;
      };
      expect(await seen()).toMatchObject({ gone: true });
      // where the thing is there, its record is what is wrong
      fake.write("ipvs", "-A -t 192.168.0.219:80 -s wlc\n");
      expect(await seen()).toMatchObject({ record: "missing" });
      for (const [name, args, owner] of [
        ["virtual-service", web, "shop/prod/0"],
        ["virtual-address", vip, "shop/prod/1"],
      ] as const)
        await kind(name, fake).create(args, owner);
      expect(fake.lines(records).sort()).toEqual([service, address].sort());
    });

    test("a line that is not a record is named once, in characters that print, and is ignored", async () => {
      const fake = fakeHost({ shell });
      await made(fake);
      fake.write(records, `${fake.read(records)}50\tobject\tVirtualSer\u001b[31m\nwhat ever\n`);
      const printed = await fake.start();
      expect(printed.match(/is not a record, and is ignored: .*/g)).toEqual([
        "is not a record, and is ignored: 50 object VirtualSer[31m",
        "is not a record, and is ignored: what ever",
      ]);
      expect(fake.lines("ipvs")).toHaveLength(1);
      // and nothing that is declared later fails of it
      await fake.newRun();
      await kind("virtual-service", fake).create(other, "shop/prod/other");
      expect(fake.lines(records)).toHaveLength(5);
    });
  },
);

const text = (i: number) => `owner-${i}`;
