import { describe, expect, test } from "vitest";
import { ipvsTimeouts } from "../../providers/ipvs-timeouts.js";
import { realServer } from "../../providers/real-server/index.js";
import { syncDaemon } from "../../providers/sync-daemon.js";
import { fakeHost, resources } from "../support/fake/engine.js";

const master = { state: "master", mcastInterface: "eth1", syncid: 7 };
const running = (id: number) =>
  `master sync daemon (mcast=eth1, syncid=${id}, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)`;

describe("timeouts", () => {
  test("of two stacks are the last one's, which the other sees, and what was found comes back with the last of them", async () => {
    const fake = fakeHost();
    const kind = resources(ipvsTimeouts, fake);
    fake.write("timeouts", "800 100 200\n");
    const untouched = fake.snapshot();
    const one = await kind.create({ tcp: 7200 }, "p/one/timeouts");
    const other = await kind.create({ tcp: 60 }, "p/other/timeouts");
    expect(fake.read("timeouts")).toBe("60 120 300\n");
    expect((await kind.read(one.props)).props).toMatchObject({ tcp: 60 });
    await kind.delete(other.props);
    expect(fake.read("timeouts")).toBe("60 120 300\n");
    expect(fake.read("run/pulumi-lvs/timeouts/found")).toBe("800 100 200\n");
    await kind.delete(one.props);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("load ip_vs when they are set, and are gone with it", async () => {
    const fake = fakeHost().withModules();
    const kind = resources(ipvsTimeouts, fake);
    const { props } = await kind.create({ udp: 30 });
    expect(fake.read("timeouts")).toBe("900 120 30\n");
    fake.remove("proc/net/ip_vs");
    expect(await kind.read(props)).toMatchObject({ props: { gone: true } });
    await kind.delete(props);
    expect(fake.has("run/pulumi-lvs")).toBe(false);
  });
});

test("looking at what is director-wide does not load ip_vs", async () => {
  const fake = fakeHost().withModules();
  for (const [kind, args] of [
    [ipvsTimeouts, {}],
    [syncDaemon, master],
    [realServer, { service: "fwmark://1", address: "10.0.0.1", port: 0 }],
  ] as const) {
    const { inputsOf, read } = resources(kind, fake);
    expect(await read(inputsOf(args))).toEqual({});
  }
  expect(fake.read("log")).not.toMatch(/^(ipvsadm|modprobe)\b/m);
});

test.each([
  [ipvsTimeouts, {}],
  [syncDaemon, master],
])("what is director-wide is not set where keepalived runs (%#)", async (definition, args) => {
  const fake = fakeHost();
  fake.runProcess(77, "keepalived");
  const untouched = fake.snapshot();
  await expect(resources(definition, fake).create(args)).rejects.toThrow(
    /on director1: keepalived runs there and manages the IPVS table;/,
  );
  expect(fake.snapshot()).toBe(untouched);
});

describe("a sync daemon", () => {
  test("that cannot be started otherwise runs as it did", async () => {
    const fake = fakeHost();
    const kind = resources(syncDaemon, fake);
    const { props } = await kind.create(master);
    const before = fake.snapshot();
    await expect(kind.update(props, { ...master, mcastInterface: "eth9" })).rejects.toThrow(
      /cannot update sync-daemon\/master on director1: .*No such device/,
    );
    expect(fake.snapshot()).toBe(before);
    expect(fake.lines("daemons")).toEqual([running(7)]);
  });

  test("that was stopped by hand is started again", async () => {
    const fake = fakeHost();
    const kind = resources(syncDaemon, fake);
    const { props } = await kind.create(master);
    fake.write("daemons", "");
    expect(await kind.read(props)).toMatchObject({ props: { gone: true } });
    await kind.update(props, { ...master, syncid: 8 });
    expect(fake.lines("daemons")).toEqual([running(8)]);
  });

  test("goes alone, and not with the lines of a bulk", async () => {
    const fake = fakeHost();
    fake.write("ipvs", "-A -f 1 -s wlc\n");
    const server = (n: number) => ({
      service: "fwmark://1",
      address: `10.0.0.${n}`,
      port: 0,
      upperThreshold: n,
    });
    await Promise.all([
      resources(syncDaemon, fake).create(master),
      resources(ipvsTimeouts, fake).create({ udp: 30 }),
      ...[1, 2, 3].map((n) => resources(realServer, fake).create(server(n), `p/s/${n}`)),
    ]);
    expect(
      fake
        .changes()
        .map((line) => line.split(" ").slice(0, 2).join(" "))
        .sort(),
    ).toEqual(["ipvsadm --set", "ipvsadm --start-daemon", "ipvsadm -R"]);
    expect(fake.lines("thresholds")).toEqual([1, 2, 3].map((n) => `-f 1\t10.0.0.${n}:0\t${n}\t0`));
  });
});
