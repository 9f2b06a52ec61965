import { execFileSync } from "node:child_process";
import { chmodSync, lstatSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { arpSuppression } from "../../../providers/arp-suppression.js";
import type { Bag } from "../../../providers/engine/inputs.js";
import { kernelModule } from "../../../providers/kernel-module.js";
import { realServer } from "../../../providers/real-server/index.js";
import { sysctl } from "../../../providers/sysctl.js";
import { virtualAddress } from "../../../providers/virtual-address.js";
import { virtualService } from "../../../providers/virtual-service/index.js";
import { lockFile } from "../../../src/shell/lock.js";
import { fakeHost, resources } from "../../support/fake/engine.js";
import { type FakeHost, shells, until } from "../../support/fake/fake-host.js";

const service = "-A -t 192.168.0.219:80 -s wlc\n";
const server = (n: number) => ({ service: "tcp://192.168.0.219:80", address: `192.168.10.${n}`, port: 80 });

function withService(fake: FakeHost): FakeHost {
  fake.write("ipvs", service);
  return fake;
}

describe("a host", () => {
  test.each(shells.map((shell) => [shell.join(" "), shell] as const))(
    "understands its scripts where sh is %s",
    async (_, shell) => {
      const fake = withService(fakeHost({ shell })).withModules();
      const untouched = fake.snapshot();
      const made = [];
      for (const [definition, args] of [
        [kernelModule, { name: "ip_vs", options: { conn_tab_bits: "15" } }],
        [arpSuppression, { interface: "eth0.100" }],
        [virtualAddress, { interface: "eth0", address: "192.168.0.219", label: "eth0:1" }],
      ] as const) {
        const kind = resources(definition, fake);
        made.unshift({ kind, ...(await kind.create(args)) });
      }
      expect(fake.read("sys/module/ip_vs/parameters/conn_tab_bits")).toBe("15\n");
      expect(fake.sysctl("net/ipv4/conf/eth0.100/arp_announce")).toBe("2");
      expect(fake.lines("addresses")).toContain("eth0 192.168.0.219/32 - eth0:1 -");
      fake.write("ipvs", "");
      expect(fake.changes()).toContain("arping -q -U -c 1 -I eth0 192.168.0.219");
      for (const { kind, props } of made) await kind.delete(props);
      fake.write("ipvs", service);
      expect(fake.snapshot()).toBe(untouched);
    },
  );

  test("takes forty real servers that come at once in a few scripts, by one shell and one ipvsadm", async () => {
    const fake = withService(fakeHost());
    const kind = resources(realServer, fake);
    const made = await Promise.all(Array.from({ length: 40 }, (_, n) => kind.create(server(n + 1))));
    expect(fake.lines("ipvs")).toHaveLength(41);
    expect(made.map(({ id }) => id)).toContain("director1/tcp://192.168.0.219:80/192.168.10.40:80");
    expect(fake.runs).toBeLessThanOrEqual(2);
    expect(fake.shells).toBe(1);
    expect(fake.changes()).toEqual(["ipvsadm -R"]);
  });

  test("reads once for all who ask together", async () => {
    const fake = withService(fakeHost());
    const kind = resources(realServer, fake);
    await Promise.all(Array.from({ length: 20 }, (_, n) => kind.read(kind.inputsOf(server(n + 1)))));
    expect(fake.runs).toBe(1);
  });

  test("answers the readings of one refresh from one script, and those after a change from what it left", async () => {
    const fake = withService(fakeHost({ recent: 60_000 }));
    const kind = resources(realServer, fake);
    const made = [];
    for (const n of [1, 2, 3]) made.push((await kind.create(server(n))).props);
    await fake.newRun();
    for (const props of made) expect((await kind.read(props)).props).toEqual(props);
    expect(fake.runs).toBe(1);
    const changed = await kind.update(made[0] as Bag, { ...server(1), weight: 9 });
    const before = fake.runs;
    expect((await kind.read(changed)).props).toEqual(changed);
    await kind.delete(made[1] as Bag);
    expect(await kind.read(made[1] as Bag)).toEqual({});
    expect(fake.runs - before).toBe(1);
  });

  test("reads again after a moment, and a change never starts from what was read a moment ago", async () => {
    const fake = withService(fakeHost({ recent: 60_000 }));
    const kind = resources(realServer, fake);
    const { props } = await kind.create(server(1));
    fake.write("ipvs", service);
    await expect(kind.update(props, { ...server(1), weight: 2 })).resolves.toBeDefined();
    expect(fake.read("ipvs")).toContain("-w 2");
    const slow = withService(fakeHost({ recent: 1 }));
    const other = resources(realServer, slow);
    const { props: there } = await other.create(server(1));
    slow.write("ipvs", service);
    await sleep(5);
    expect((await other.read(there)).props).toMatchObject({ gone: true });
  });

  test("plans from what it read last, so that a second change costs one script", async () => {
    const fake = withService(fakeHost());
    const kind = resources(realServer, fake);
    await kind.create(server(1));
    const before = fake.runs;
    await kind.create(server(2));
    expect(fake.runs - before).toBe(1);
  });

  test("does not load ip_vs just to look at the table", async () => {
    const fake = fakeHost().withModules();
    const kind = resources(virtualService, fake);
    expect(await kind.read(kind.inputsOf({ fwmark: 1 }))).toEqual({});
    expect(fake.has("sys/module/ip_vs")).toBe(false);
  });

  test("is not stale because lifetimes of addresses tick", async () => {
    const fake = fakeHost();
    const kind = resources(virtualAddress, fake);
    await kind.create({ interface: "lo", address: "192.168.0.219" });
    const before = fake.runs;
    await kind.create({ interface: "lo", address: "192.168.0.220" });
    expect(fake.runs - before).toBe(1);
  });
});

describe("of those who are served together", () => {
  test("one that the host refuses fails alone, with its own words, and its neighbours are applied", async () => {
    const fake = withService(fakeHost());
    const servers = resources(realServer, fake);
    const bad = servers.create({ ...server(9), service: "tcp://192.168.0.219:443", port: 443 });
    const good = [1, 2, 3].map((n) => servers.create(server(n)));
    await expect(bad).rejects.toThrow(
      /^cannot create tcp:\/\/192\.168\.0\.219:443\/192\.168\.10\.9:443 on director1: `ipvsadm -a -t 192\.168\.0\.219:443 -r 192\.168\.10\.9:443 -g -w 1` failed \(exit code 255\): Service not defined$/,
    );
    await Promise.all(good);
    expect(fake.lines("ipvs")).toHaveLength(4);
  });

  test("one whose argument stops ipvsadm -R half way does not keep the rest from being applied", async () => {
    const fake = withService(fakeHost());
    fake.write("schedulers", "wlc\n");
    const services = resources(virtualService, fake);
    const bad = services.create({ fwmark: 1, scheduler: "sed" });
    const good = [2, 3].map((fwmark) => services.create({ fwmark }));
    await expect(bad).rejects.toThrow(
      /Scheduler or persistence engine not found; its kernel has no module for that scheduler$/,
    );
    await Promise.all(good);
    expect(fake.lines("ipvs")).toEqual([service.trim(), "-A -f 2 -s wlc", "-A -f 3 -s wlc"]);
  });

  test("one that fails between its steps is undone, and its neighbours of other kinds are applied", async () => {
    const fake = fakeHost();
    const vips = resources(virtualAddress, fake);
    const settings = resources(sysctl, fake);
    fake.withoutTool("arping");
    const bad = vips.create({ interface: "eth0", address: "192.168.0.219" });
    const good = [
      vips.create({ interface: "lo", address: "192.168.0.220" }),
      settings.create({ name: "net.ipv4.ip_forward", value: "1" }),
    ];
    await expect(bad).rejects.toThrow(
      /arping.*not found; install arping there \(Debian: apt-get install iputils-arping\), or set announce: false$/,
    );
    await Promise.all(good);
    expect(fake.read("addresses")).not.toContain("192.168.0.219/");
    expect(fake.read("addresses")).toContain("lo 192.168.0.220/32");
    expect(fake.sysctl("net/ipv4/ip_forward")).toBe("1");
  });

  test("one whose fact cannot be read fails alone", async () => {
    const fake = fakeHost();
    fake.withoutTool("ipvsadm");
    const bad = resources(virtualService, fake).create({ fwmark: 1 });
    const good = resources(sysctl, fake).create({ name: "net.ipv4.ip_forward", value: "1" });
    await expect(bad).rejects.toThrow(
      /^cannot create fwmark:\/\/1 on director1: cannot read `ipvsadm -Sn`: ipvsadm: not found; install ipvsadm there/,
    );
    await good;
    expect(fake.sysctl("net/ipv4/ip_forward")).toBe("1");
  });

  test.each(["alone", "together"])(
    "one that the host keeps otherwise than declared is undone (%s)",
    async (how) => {
      const fake = withService(fakeHost());
      fake.write("faults/weights", "7 6\n");
      const kind = resources(realServer, fake);
      const bad = kind.create({ ...server(7), weight: 7 });
      const good = how === "together" ? [kind.create(server(1))] : [];
      await expect(bad).rejects.toThrow(
        /^cannot create tcp:\/\/192\.168\.0\.219:80\/192\.168\.10\.7:80 on director1: the host did not keep what was declared: weight is 6, wanted 7; the change was undone; see which other program changes the host, then run `pulumi up` again$/,
      );
      await Promise.all(good);
      expect(fake.read("ipvs")).not.toContain("192.168.10.7:80");
    },
  );
});

describe("facts that are old", () => {
  test("are noticed by the host, which does nothing until it was planned anew", async () => {
    const fake = withService(fakeHost());
    const kind = resources(realServer, fake);
    const { props } = await kind.create({ ...server(1), weight: 1 });
    fake.write("ipvs", `${service}-a -t 192.168.0.219:80 -r 192.168.10.1:80 -m -w 9\n`);
    const before = fake.runs;
    await kind.update(props, { ...server(1), weight: 5 });
    expect(fake.runs - before).toBe(2);
    expect(fake.lines("ipvs")[1]).toBe("-a -t 192.168.0.219:80 -r 192.168.10.1:80 -g -w 5");
  });

  test("do not make a create refuse what is not there any more", async () => {
    const fake = withService(fakeHost());
    const kind = resources(realServer, fake);
    await kind.create({ ...server(1), weight: 1 });
    fake.write("ipvs", service);
    await kind.create({ ...server(1), weight: 2 });
    expect(fake.lines("ipvs")[1]).toBe("-a -t 192.168.0.219:80 -r 192.168.10.1:80 -g -w 2");
  });

  test("do not make a create overwrite what came in between", async () => {
    const fake = withService(fakeHost());
    const kind = resources(realServer, fake);
    await kind.create(server(1));
    fake.write("ipvs", `${service}-a -t 192.168.0.219:80 -r 192.168.10.2:80 -m -w 9\n`);
    await expect(kind.create(server(2))).rejects.toThrow(
      /it exists already, with other settings: forwarding is "masquerading", wanted "gatewaying", weight is 9, wanted 1; set adopt: true/,
    );
    expect(fake.read("ipvs")).toContain("192.168.10.2:80 -m -w 9");
  });

  test("are not believed by one who only reads", async () => {
    const fake = withService(fakeHost());
    const kind = resources(realServer, fake);
    const { props } = await kind.create(server(1));
    fake.write("ipvs", service);
    expect(await kind.read(props)).toMatchObject({ props: { gone: true } });
  });

  test("that change at every look end in an error, not in an endless loop", async () => {
    const fake = withService(fakeHost());
    const kind = resources(virtualAddress, fake);
    // its output differs each time
    fake.remove("tools/ip");
    fake.write(
      "tools/ip",
      '#!/bin/sh\necho x >>"$LVS_FAKE_ROOT/faults/n"; printf \'[{"ifname":"lo"},{"ifname":"eth%s"}]\' "$(grep -c x "$LVS_FAKE_ROOT/faults/n")"\n',
    );
    chmodSync(`${fake.root}/tools/ip`, 0o755);
    await expect(kind.create({ interface: "lo", address: "192.168.0.219" })).rejects.toThrow(
      /on director1: another program keeps changing what is being configured \(5 attempts; the last change: `ip -j addr show`\); stop that program, then run `pulumi up` again$/,
    );
    expect(fake.runs).toBeLessThan(10);
  });
});

describe("the host's lock", () => {
  const each = shells.map((shell) => [shell.join(" "), shell] as const);

  test("when another run holds it, is waited for and then reported", async () => {
    const fake = withService(fakeHost());
    fake.lockSeconds = 0.05;
    const release = await fake.holdLock();
    const kind = resources(realServer, fake);
    await expect(kind.create(server(1))).rejects.toThrow(
      /^cannot create .* on director1: another run has held the host's lock for 60 s; wait until it has finished, then run `pulumi up` again$/,
    );
    await release();
    await kind.create(server(1));
    expect(fake.lines("ipvs")).toHaveLength(2);
  });

  test("is had as soon as the other run has finished", async () => {
    const fake = withService(fakeHost());
    const release = await fake.holdLock();
    const change = resources(realServer, fake).create(server(1));
    await until(() => fake.scripts.length > 1);
    expect(fake.lines("ipvs")).toHaveLength(1);
    await release();
    await change;
    expect(fake.lines("ipvs")).toHaveLength(2);
  });

  test("lets several read at once", async () => {
    const fake = withService(fakeHost());
    fake.lockSeconds = 0.05;
    const release = await fake.holdLock("-s");
    const kind = resources(realServer, fake);
    expect(await kind.read(kind.inputsOf(server(1)))).toEqual({});
    await release();
  });

  test("is missing where flock is", async () => {
    const fake = withService(fakeHost());
    fake.withoutTool("flock");
    await expect(resources(realServer, fake).create(server(1))).rejects.toThrow(
      /flock: not found; install util-linux there$/,
    );
  });

  test.each(each)(
    "is an empty file that no other user may open, and free when nothing runs (%s)",
    async (_, shell) => {
      const fake = withService(fakeHost({ shell }));
      await resources(realServer, fake).create(server(1));
      const found = lstatSync(join(fake.root, lockFile));
      expect(found.isFile()).toBe(true);
      expect([found.mode & 0o777, found.size]).toEqual([0o600, 0]);
      const release = await fake.holdLock();
      await release();
    },
  );

  const others: [string, (path: string) => void][] = [
    ["a link to another file", (path) => symlinkSync("precious", path)],
    ["a link to nothing", (path) => symlinkSync("missing", path)],
    ["a directory", (path) => mkdirSync(path)],
    ["a fifo that no process writes to", (path) => execFileSync("mkfifo", [path])],
  ];
  describe.each(others)("is not taken where its file is %s", (_, make) => {
    test.each(each)("(%s)", async (_, shell) => {
      const fake = withService(fakeHost({ shell }));
      fake.write("run/precious", "as it was\n");
      make(join(fake.root, lockFile));
      await expect(resources(realServer, fake).create(server(1))).rejects.toThrow(
        /on director1: the lock file \S+ cannot be made, or is not a regular file of root's own; see ls -ld \/run \S+, and remove it if it is something else$/,
      );
      expect(fake.read("run/precious")).toBe("as it was\n");
      expect(fake.has("run/missing")).toBe(false);
      expect(fake.lines("ipvs")).toHaveLength(1);
    });
  });
});

test("a user who is not root gets an error that says so", async () => {
  const fake = fakeHost();
  fake.write("uid", "1000\n");
  await expect(resources(realServer, fake).create(server(1))).rejects.toThrow(
    /on director1: the login user is not root \(uid 1000\); log in as root, or set sudo: true$/,
  );
});
