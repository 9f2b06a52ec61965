import { describe, expect, test } from "vitest";
import type { Definition } from "../../providers/engine/define.js";
import type { Bag } from "../../providers/engine/inputs.js";
import { type Made, verbsOf } from "../../providers/provider.js";
import { definitions } from "../support/fake/definitions.js";
import { fakeHost, resources } from "../support/fake/engine.js";
import type { FakeHost } from "../support/fake/fake-host.js";

/*
 * Each way in which a resource leaves a stack, then a reboot, and a restart of what sets up the network: what comes back, and
 * what does not.
 */

const kind = (name: string, fake: FakeHost) => resources(definitions.get(name) as Definition, fake);

const web = { address: "192.168.0.219", port: 80 };
const service = "tcp://192.168.0.219:80";
const server = { service, address: "192.168.10.11", port: 80 };
const vip = { interface: "eth0", address: "192.168.0.219" };
const route = { destination: "10.0.0.0/8", via: "192.168.10.1", source: "192.168.0.219" };

/** A cluster of one server, and a second service with an address of its own, which must not suffer. */
async function cluster() {
  const fake = fakeHost();
  const booted = fake.image();
  const other = await kind("virtual-service", fake).create(
    { ...web, address: "192.168.0.220" },
    "blog/prod/web",
  );
  const otherVip = await kind("virtual-address", fake).create(
    { ...vip, address: "192.168.0.220" },
    "blog/prod/vip",
  );
  const untouched = fake.snapshot();
  const make = async (name: string, args: Bag) =>
    (await kind(name, fake).create(args, `shop/prod/${name}`)).props;
  const props = {
    service: await make("virtual-service", web),
    server: await make("real-server", server),
    vip: await make("virtual-address", vip),
    route: await make("host-route", route),
  };
  const remove = (name: string, bag: Bag) => kind(name, fake).delete(bag);
  return {
    fake,
    untouched,
    props,
    others: [other, otherVip],
    remove,
    /** The machine boots, and what sets up its network starts anew; returns what the journal says. */
    reboot: async () => {
      await fake.reboot(booted);
      const printed = await fake.start();
      return printed + (await fake.start());
    },
  };
}

const things = (fake: FakeHost) => [
  ...fake.lines("ipvs").filter((line) => line.includes(".219")),
  ...fake.lines("addresses").filter((line) => line.includes(".219")),
  ...fake.lines("routes").filter((line) => line.includes("10.0.0.0/8")),
];

describe("after a reboot", () => {
  test("what was deleted is not there, and leaves no trace", async () => {
    const { fake, untouched, props, remove, reboot } = await cluster();
    await remove("host-route", props.route);
    await remove("virtual-address", props.vip);
    await remove("real-server", props.server);
    await remove("virtual-service", props.service);
    expect(fake.snapshot()).toBe(untouched);
    expect(await reboot()).toBe("");
    expect(fake.snapshot()).toBe(untouched);
  });

  test("what went with another thing and was never deleted itself (deletedWith, retained, state delete) is not there", async () => {
    const { fake, untouched, props, remove, reboot } = await cluster();
    const monitor = { service, check: { type: "tcp" } };
    await kind("health-monitor", fake).create(monitor, "shop/prod/health");
    await remove("virtual-address", props.vip);
    await remove("virtual-service", props.service);
    // of the monitor there is its file, which the agent takes out at the next boot
    expect(fake.lines("etc/pulumi-lvs/boot").map((line) => line.split("\t")[3])).toEqual([
      "blog/prod/web",
      "blog/prod/vip",
    ]);
    expect(fake.owners().sort()).toEqual([
      "blog/prod/vip VirtualAddress eth0/192.168.0.220",
      "blog/prod/web VirtualService tcp://192.168.0.220:80",
    ]);
    fake.remove("etc/pulumi-lvs/monitor");
    expect(await reboot()).toBe("");
    expect(things(fake)).toEqual([]);
    expect(fake.lines("ipvs")).toHaveLength(1);
    expect(untouched).toContain("192.168.0.220");
  });

  test("what is retained, or only state forgot, comes back as long as what it stands behind does", async () => {
    const { fake, props, remove, reboot } = await cluster();
    await remove("virtual-address", props.vip);
    expect(await reboot()).toBe("");
    expect(things(fake)).toEqual([
      "-A -t 192.168.0.219:80 -s wlc",
      "-a -t 192.168.0.219:80 -r 192.168.10.11:80 -g -w 1",
    ]);
  });

  test.each([
    ["an address", "virtual-address", "vip", ["addresses", /.*192\.168\.0\.219.*\n/g]],
    ["a service", "virtual-service", "service", ["ipvs", /.*192\.168\.0\.219.*\n/g]],
    ["a real server", "real-server", "server", ["ipvs", /-a .*\n/g]],
    ["a route", "host-route", "route", ["routes", /.*10\.0\.0\.0.*\n/g]],
  ] as const)(
    "%s that was deleted by hand is gone to a refresh, and then either made again or gone for good",
    async (_title, name, which, [file, line]) => {
      for (const isDeclared of [true, false]) {
        const { fake, props, remove, reboot } = await cluster();
        const before = fake.snapshot();
        fake.write(file, fake.read(file).replace(line, ""));
        await fake.newRun();
        const found = await kind(name, fake).read(props[which]);
        expect(found).toMatchObject({ props: { gone: true }, inputs: { gone: true } });
        const refreshed = found.props as Bag;
        // a second refresh finds the same
        expect(await kind(name, fake).read(refreshed)).toEqual(found);
        if (isDeclared) {
          const { inputs } = kind(name, fake).engine.check({}, props[which]);
          expect(kind(name, fake).engine.diff("", refreshed, inputs)).toMatchObject({ replaces: [] });
          expect(await kind(name, fake).engine.update("", refreshed, inputs)).toEqual({ outs: props[which] });
          // its servers are theirs to come back
          if (which !== "service") expect(fake.snapshot()).toBe(before);
        } else {
          await remove(name, refreshed);
          expect(await reboot()).toBe("");
          expect(fake.read(file)).not.toMatch(new RegExp(line.source));
          expect(fake.read("addresses")).toContain("192.168.0.220");
        }
      }
    },
  );

  test("what is gone, and has no record of this resource either, is gone to a refresh", async () => {
    const { fake, props } = await cluster();
    fake.write("ipvs", "");
    fake.remove("etc/pulumi-lvs/boot");
    await fake.newRun();
    expect(await kind("real-server", fake).read(props.server)).toEqual({});
  });

  test("what was renamed with an alias comes back as the same resource's", async () => {
    const { fake, props, reboot } = await cluster();
    const engine = kind("virtual-service", fake).engine;
    const { inputs } = engine.check({}, { ...props.service, owner: "shop/prod/renamed", scheduler: "rr" });
    const { outs } = await engine.update("", props.service, inputs);
    expect(await reboot()).toBe("");
    expect(things(fake)[0]).toBe("-A -t 192.168.0.219:80 -s rr");
    await fake.newRun();
    expect((await kind("virtual-service", fake).read(outs)).props).toEqual(outs);
  });

  test("what was renamed without an alias comes back as the new resource's, and once", async () => {
    const { fake, props, reboot } = await cluster();
    const made: Made = new Map();
    const verbs = verbsOf(kind("virtual-service", fake).engine, made);
    const { inputs } = kind("virtual-service", fake).engine.check(
      {},
      { ...props.service, owner: "shop/prod/new" },
    );
    await verbs.create(inputs);
    await verbs.delete("", props.service);
    const before = things(fake);
    expect(before).toHaveLength(4);
    expect(await reboot()).toBe("");
    expect(things(fake).sort()).toEqual(before.sort());
    expect(fake.owners()).toContain(`shop/prod/new VirtualService ${service}`);
  });

  test("what was moved to another stack (pulumi state move) comes back, and goes when that stack deletes it", async () => {
    const { fake, props, remove, reboot } = await cluster();
    const engine = kind("virtual-address", fake).engine;
    // state keeps the owner that it had
    const { inputs } = engine.check({}, { ...props.vip, owner: "blog/prod/vip-219", announce: false });
    const { outs } = await engine.update("", props.vip, inputs);
    expect(await reboot()).toBe("");
    expect(things(fake)).toHaveLength(4);
    await fake.newRun();
    await remove("virtual-address", outs);
    expect(await reboot()).toBe("");
    expect(fake.read("addresses")).not.toContain("192.168.0.219");
  });

  test("what was replaced comes back in its new place only", async () => {
    const { fake, props, remove, reboot } = await cluster();
    await remove("host-route", props.route);
    await kind("virtual-address", fake).create({ ...vip, interface: "eth1" }, "shop/prod/virtual-address");
    await remove("virtual-address", props.vip);
    expect(await reboot()).toBe("");
    expect(fake.lines("addresses").filter((line) => line.includes(".219"))).toEqual([
      "eth1 192.168.0.219/32 - - -",
    ]);
  });
});

test("what belongs to another stack keeps a service from being deleted", async () => {
  const { fake, props, remove } = await cluster();
  await kind("real-server", fake).create({ ...server, address: "192.168.10.12" }, "blog/prod/web 1");
  await expect(remove("virtual-service", props.service)).rejects.toThrow(
    /the deletion would also delete what another stack has: blog\/prod\/web 1 RealServer/,
  );
  await remove("virtual-service", { ...props.service, adopt: true });
  expect(fake.read("etc/pulumi-lvs/boot")).not.toMatch(/RealServer/);
});

test("a deletion that fails gives back the records of what would have gone along", async () => {
  const { fake, props, remove } = await cluster();
  const before = fake.snapshot();
  for (const n of [1, 2, 3]) {
    fake.failCommand("step", n);
    await expect(remove("virtual-service", props.service)).rejects.toThrow(/injected failure/);
    fake.mend();
    expect(fake.snapshot()).toBe(before);
  }
});
