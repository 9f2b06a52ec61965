import { describe, expect, test } from "vitest";
import { syncDaemon } from "../../../providers/sync-daemon.js";
import { virtualAddress } from "../../../providers/virtual-address.js";
import { virtualService } from "../../../providers/virtual-service/index.js";
import { vrrpInstance } from "../../../providers/vrrp-instance/index.js";
import { fakeHost, resources } from "../../support/fake/engine.js";
import type { FakeHost } from "../../support/fake/fake-host.js";

const one = { interface: "eth0", routerId: 51, addresses: [{ address: "192.168.0.219" }] };
const two = { ...one, routerId: 52, addresses: [{ address: "192.168.0.220" }] };
const main = "etc/keepalived/keepalived.conf";
const link = "etc/systemd/system/multi-user.target.wants/keepalived.service";

const include = (fake: FakeHost) => `include ${fake.root}/etc/keepalived/pulumi-lvs.d/*.conf\n`;
/** What was done to keepalived's unit and configuration. */
const done = (fake: FakeHost) =>
  fake.lines("log").flatMap((line) => {
    if (/^keepalived -t/.test(line)) return ["test"];
    return /^systemctl (\S+).* keepalived\.service/.exec(line)?.[1] ?? [];
  });
const start = (fake: FakeHost) => {
  fake.write(link, "");
  fake.write("run/keepalived.pid", "712\n");
  fake.write("run/vrrp.pid", "713\n");
};

describe("where keepalived has no configuration", () => {
  test("it is enabled and started with the first instance, reloaded with others, and gone with the last", async () => {
    const fake = fakeHost();
    const before = fake.snapshot();
    const kind = resources(vrrpInstance, fake);
    const first = await kind.create(one);
    expect(fake.read(main)).toContain(include(fake));
    expect(done(fake)).toEqual(["test", "enable", "start"]);
    const second = await kind.create(two, "p/s/two");
    const changed = await kind.update(second.props, { ...two, priority: 7 });
    await kind.delete(first.props);
    expect(done(fake).slice(3)).toEqual(["test", "reload", "test", "reload", "reload"]);
    expect(fake.has(main)).toBe(true);
    await kind.delete(changed);
    expect(done(fake).slice(8)).toEqual(["disable", "stop"]);
    expect(fake.snapshot()).toBe(before);
  });

  test("one that was enabled stays so", async () => {
    const fake = fakeHost();
    fake.write(link, "");
    const before = fake.snapshot();
    const kind = resources(vrrpInstance, fake);
    const { props } = await kind.create(one);
    await kind.delete(props);
    expect(done(fake)).toEqual(["test", "start", "stop"]);
    expect(fake.snapshot()).toBe(before);
  });

  test("a configuration of ours that was changed by hand stays, and keepalived goes on by it", async () => {
    const fake = fakeHost();
    const kind = resources(vrrpInstance, fake);
    const { props } = await kind.create(one);
    const mine = `${fake.read(main)}vrrp_instance mine {\n}\n`;
    fake.write(main, mine);
    await kind.delete(props);
    expect(fake.read(main)).toBe(mine);
    expect(done(fake).slice(3)).toEqual(["reload"]);
    expect(fake.has("etc/keepalived/pulumi-lvs.d")).toBe(false);
    expect(fake.has("etc/pulumi-lvs")).toBe(false);
  });
});

describe("where the operator has a configuration", () => {
  test("it is refused until it includes our files, with the line to add", async () => {
    const fake = fakeHost();
    fake.write(main, "vrrp_instance mine {\n}\n");
    const before = fake.snapshot();
    await expect(resources(vrrpInstance, fake).create(one)).rejects.toThrow(
      /keepalived\.conf does not include the files of pulumi-lvs; add this line to it: include \/etc\/keepalived\/pulumi-lvs\.d\/\*\.conf$/,
    );
    expect(fake.snapshot()).toBe(before);
  });

  test("it stays as it is, and a keepalived that ran goes on after the last instance", async () => {
    const fake = fakeHost();
    fake.write(main, `vrrp_instance mine {\n}\n${include(fake)}`);
    start(fake);
    const before = fake.snapshot();
    const kind = resources(vrrpInstance, fake);
    const { props } = await kind.create(one);
    expect(fake.read(main)).toBe(`vrrp_instance mine {\n}\n${include(fake)}`);
    await kind.delete(props);
    expect(done(fake)).toEqual(["test", "reload", "reload"]);
    expect(fake.snapshot()).toBe(before);
  });

  test("an include that is taken out is drift, and an update says what to add", async () => {
    const fake = fakeHost();
    fake.write(main, include(fake));
    const kind = resources(vrrpInstance, fake);
    const { props } = await kind.create(one);
    fake.write(main, "# nothing\n");
    const { props: found } = await kind.read(props);
    expect(found?.keepalived).toBe("left out");
    await expect(kind.update(found ?? {}, one)).rejects.toThrow(/add this line to it/);
  });
});

describe("nothing has changed", () => {
  test.each([
    ["start", "its own"],
    ["enable", "its own"],
    ["reload", "its own"],
    ["start", "the operator's"],
    ["enable", "the operator's"],
  ])("where systemctl %s fails with %s configuration", async (verb, whose) => {
    const fake = fakeHost();
    const kind = resources(vrrpInstance, fake);
    if (whose !== "its own") fake.write(main, include(fake));
    if (verb === "reload") await kind.create(two, "p/s/two");
    const before = fake.snapshot();
    fake.write(`faults/keepalived-${verb}`, "");
    await expect(kind.create(one)).rejects.toThrow(
      new RegExp(`cannot create vrrp/eth0/51 on director1: .*Failed to ${verb}`),
    );
    fake.remove(`faults/keepalived-${verb}`);
    expect(fake.snapshot()).toBe(before);
  });

  test("where keepalived refuses the configuration, new or changed", async () => {
    const fake = fakeHost();
    fake.write(main, include(fake));
    const kind = resources(vrrpInstance, fake);
    const { props } = await kind.create(one);
    fake.write(main, `${include(fake)}nonsense\n`);
    const before = fake.snapshot();
    const refused = /failed \(exit code 5\): .*Unknown keyword 'nonsense'/;
    await expect(kind.create(two, "p/s/two")).rejects.toThrow(refused);
    await expect(kind.update(props, { ...one, priority: 7 })).rejects.toThrow(refused);
    expect(fake.snapshot()).toBe(before);
  });

  test("where keepalived is not installed, and the error tells the package", async () => {
    const fake = fakeHost();
    const before = fake.snapshot();
    fake.remove("tools/keepalived");
    await expect(resources(vrrpInstance, fake).create(one)).rejects.toThrow(
      /keepalived: not found; install keepalived there \(Debian, Ubuntu: apt-get install keepalived;/,
    );
    expect(fake.snapshot()).toBe(before);
  });

  test.each([
    ["itself", (fake: FakeHost) => fake.write(main, `global_defs {\n   vrrp_strict\n}\n${include(fake)}`)],
    [
      "in a file that it includes",
      (fake: FakeHost) => {
        fake.write(main, `include conf.d/*.conf\n${include(fake)}`);
        fake.write("etc/keepalived/conf.d/global.conf", "global_defs {\n\tvrrp_strict\n}\n");
      },
    ],
  ])("where the configuration is strict %s, and the error tells what to take out", async (_, prepare) => {
    const fake = fakeHost();
    prepare(fake);
    const before = fake.snapshot();
    await expect(resources(vrrpInstance, fake).create(one)).rejects.toThrow(
      /keepalived\.conf has vrrp_strict, .*; take vrrp_strict out of its global_defs$/,
    );
    expect(fake.snapshot()).toBe(before);
    expect(done(fake)).toEqual([]);
  });

  test("where its scripts are not allowed, and the error tells what to add", async () => {
    const fake = fakeHost();
    fake.write(main, include(fake));
    const before = fake.snapshot();
    fake.write("faults/keepalived-code", "6\n");
    await expect(resources(vrrpInstance, fake).create(one)).rejects.toThrow(
      /add enable_script_security to its global_defs/,
    );
    expect(fake.snapshot()).toBe(before);
  });
});

test("a keepalived that was stopped is drift, and is started again by the file that is there", async () => {
  const fake = fakeHost();
  const kind = resources(vrrpInstance, fake);
  const { props } = await kind.create(one);
  fake.remove("run/keepalived.pid");
  const { props: found } = await kind.read(props);
  expect(found?.keepalived).toBe("stopped");
  await kind.update(found ?? {}, one);
  expect(done(fake).slice(3)).toEqual(["start"]);
  expect((await kind.read(props)).props?.keepalived).toBe("running");
});

describe("where keepalived does not run and its configuration has virtual servers", () => {
  test.each([
    [
      "itself",
      (fake: FakeHost) => fake.write(main, `virtual_server 192.168.0.219 80 {\n}\n${include(fake)}`),
    ],
    [
      "in a file that it includes",
      (fake: FakeHost) => {
        fake.write(main, `include conf.d/*.conf\n${include(fake)}`);
        fake.write("etc/keepalived/conf.d/web.conf", "  virtual_server_group web {\n}\n");
      },
    ],
  ])("%s, it is not started, and the error tells what to do", async (_, prepare) => {
    const fake = fakeHost();
    prepare(fake);
    const before = fake.snapshot();
    await expect(resources(vrrpInstance, fake).create(one)).rejects.toThrow(
      /does not run, and .*keepalived\.conf has virtual servers; take its virtual_server blocks out/,
    );
    expect(fake.snapshot()).toBe(before);
    expect(done(fake)).toEqual([]);
  });
});

test("a keepalived that manages sync daemons rules a SyncDaemon out, and nothing else", async () => {
  const fake = fakeHost();
  start(fake);
  fake.runProcess(712, "keepalived");
  fake.runProcess(713, "keepalived", 0, 0, 712);
  await resources(syncDaemon, fake).create({ state: "backup", mcastInterface: "eth0" });
  fake.write(main, "global_defs {\n  lvs_sync_daemon eth0 mine\n}\n");
  await resources(virtualService, fake).create({ address: "192.168.0.219", port: 80 });
  await expect(
    resources(syncDaemon, fake).create({ state: "master", mcastInterface: "eth0" }),
  ).rejects.toThrow(/keepalived runs there and manages the sync daemons \(lvs_sync_daemon\)/);
});

test.each([
  ["priority 100", "priority NaN"],
  ["priority 100", "priority 300"],
  ["priority 100", "priority 1.5"],
  ["version 3", "version 7"],
  ["\t\tlo", "\t\tl\u001bo"],
])("a file with %j changed to %j is edited by hand, and its text is not read", async (from, to) => {
  const fake = fakeHost();
  const kind = resources(vrrpInstance, fake);
  const { props } = await kind.create({ ...one, trackInterfaces: ["lo"] });
  const file = "etc/keepalived/pulumi-lvs.d/eth0-51.conf";
  expect(fake.read(file)).toContain(from);
  fake.write(file, fake.read(file).replace(from, to));
  const { props: found } = await kind.read(props);
  expect(found).toMatchObject({ keepalived: "edited by hand", priority: 100, trackInterfaces: ["lo"] });
});

test("the instance's own interface is not tracked again", () => {
  expect(() =>
    resources(vrrpInstance, fakeHost()).inputsOf({ ...one, trackInterfaces: ["lo", "eth0"] }),
  ).toThrow("trackInterfaces[1]: eth0 is the instance's own, which always counts");
});

describe("an address has one owner", () => {
  const vip = { interface: "eth0", address: "192.168.0.220" };

  test("a VirtualAddress of an instance's address is refused", async () => {
    const fake = fakeHost();
    await resources(vrrpInstance, fake).create(two);
    const before = fake.snapshot();
    await expect(resources(virtualAddress, fake).create(vip, "p/s/vip")).rejects.toThrow(
      /192\.168\.0\.220 is an address of a VrrpInstance there, of p\/s\/one; leave it to that resource/,
    );
    expect(fake.snapshot()).toBe(before);
  });

  test("an update that adds the address of a VirtualAddress is refused", async () => {
    const fake = fakeHost();
    const kind = resources(vrrpInstance, fake);
    await resources(virtualAddress, fake).create(vip, "p/s/vip");
    const { props } = await kind.create(one);
    const before = fake.snapshot();
    const both = { ...one, addresses: [...one.addresses, ...two.addresses] };
    await expect(kind.update(props, both)).rejects.toThrow(
      /192\.168\.0\.220 is a VirtualAddress there, of p\/s\/vip; remove that resource first/,
    );
    expect(fake.snapshot()).toBe(before);
  });

  test("two of one update are not both made", async () => {
    const fake = fakeHost();
    const made = await Promise.allSettled([
      resources(vrrpInstance, fake).create(two),
      resources(virtualAddress, fake).create(vip, "p/s/vip"),
    ]);
    expect(made.filter(({ status }) => status === "fulfilled").length).toBeLessThan(2);
  });

  test("one that an instance gives up is free", async () => {
    const fake = fakeHost();
    const kind = resources(vrrpInstance, fake);
    const { props } = await kind.create({ ...one, addresses: [...one.addresses, ...two.addresses] });
    await kind.update(props, one);
    await resources(virtualAddress, fake).create(vip, "p/s/vip");
  });
});

describe("a deletion", () => {
  test.each([
    ["stop", "last"],
    ["disable", "last"],
    ["reload", "other"],
  ])(
    "that fails where systemctl %s does leaves the %s instance, and the next ends without a trace",
    async (verb, which) => {
      const fake = fakeHost();
      const kind = resources(vrrpInstance, fake);
      const empty = fake.snapshot();
      const other = which === "other" ? await kind.create(two, "p/s/two") : undefined;
      const { props } = await kind.create(one);
      const before = fake.snapshot();
      fake.write(`faults/keepalived-${verb}`, "");
      await expect(kind.delete(props)).rejects.toThrow(`Failed to ${verb} keepalived.service`);
      fake.remove(`faults/keepalived-${verb}`);
      expect(fake.snapshot()).toBe(before);
      await kind.delete(props);
      if (other) await kind.delete(other.props);
      expect(fake.snapshot()).toBe(empty);
    },
  );

  test("of an instance whose file was removed by hand ends without a trace", async () => {
    const fake = fakeHost();
    const before = fake.snapshot();
    const kind = resources(vrrpInstance, fake);
    const { props } = await kind.create(one);
    fake.remove("etc/keepalived/pulumi-lvs.d/eth0-51.conf");
    await kind.delete(props);
    expect(done(fake).slice(3)).toEqual(["disable", "stop"]);
    expect(fake.snapshot()).toBe(before);
  });

  test("leaves an operator's keepalived running that an update had to start and enable", async () => {
    const fake = fakeHost();
    fake.write(main, include(fake));
    fake.write(link, "");
    start(fake);
    const before = fake.snapshot();
    const kind = resources(vrrpInstance, fake);
    const { props } = await kind.create(one);
    fake.remove("run/keepalived.pid");
    fake.remove(link);
    const { props: found } = await kind.read(props);
    await kind.delete(await kind.update(found ?? {}, one));
    expect(done(fake).slice(2)).toEqual(["enable", "start", "reload"]);
    expect(fake.snapshot()).toBe(before);
  });

  test("disables an operator's keepalived again that was disabled before the first instance", async () => {
    const fake = fakeHost();
    fake.write(main, include(fake));
    start(fake);
    fake.remove(link);
    const before = fake.snapshot();
    const kind = resources(vrrpInstance, fake);
    const { props } = await kind.create(one);
    await kind.delete(props);
    expect(done(fake).slice(1)).toEqual(["enable", "reload", "disable", "reload"]);
    expect(fake.snapshot()).toBe(before);
  });

  test("fails while an address stays, and says what to do", async () => {
    const fake = fakeHost();
    const kind = resources(vrrpInstance, fake);
    await kind.create(two, "p/s/two");
    const { props } = await kind.create(one);
    fake.write("addresses", `${fake.read("addresses")}eth0 192.168.0.219/32 - - -\n`);
    const before = fake.snapshot();
    await expect(kind.delete(props)).rejects.toThrow(
      /the host still has 192\.168\.0\.219\/32 on eth0; see there why keepalived keeps it/,
    );
    expect(fake.snapshot()).toBe(before);
  });

  test("does not wait for an address that another instance has", async () => {
    const fake = fakeHost();
    const kind = resources(vrrpInstance, fake);
    const { props } = await kind.create(one);
    await kind.create({ ...one, routerId: 53 }, "p/s/moved");
    fake.write("addresses", `${fake.read("addresses")}eth0 192.168.0.219/32 - - -\n`);
    await kind.delete(props);
    expect(fake.has("etc/keepalived/pulumi-lvs.d/eth0-51.conf")).toBe(false);
  });
});

describe("keepalived obeys a file", () => {
  test.each([
    ["is reloading", ["reloading"], "reload"],
    ["still starts", ["activating", "activating"], "reload"],
    ["starts without end", Array(30).fill("activating"), "restart"],
  ])("where it %s when the file comes", async (_, states, verb) => {
    const fake = fakeHost();
    const kind = resources(vrrpInstance, fake);
    await kind.create(two, "p/s/two");
    fake.write("faults/keepalived-states", `${states.join("\n")}\n`);
    await kind.create(one);
    expect(done(fake).slice(4)).toEqual([verb]);
  });

  test.each([
    ["is reloading", ["reloading"]],
    ["still starts", ["activating", "activating"]],
  ])("where it %s when the file goes", async (_, states) => {
    const fake = fakeHost();
    const kind = resources(vrrpInstance, fake);
    await kind.create(two, "p/s/two");
    const { props } = await kind.create(one);
    fake.write("faults/keepalived-states", `${states.join("\n")}\n`);
    await kind.delete(props);
    expect(done(fake).slice(5)).toEqual(["reload"]);
  });
});
