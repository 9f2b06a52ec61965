import { describe, expect, test } from "vitest";
import { forget } from "../../../cli/forget/forget.js";
import { Engine } from "../../../providers/engine/engine.js";
import type { Bag } from "../../../providers/engine/inputs.js";
import { unknownValue } from "../../../providers/engine/inputs.js";
import { hostRoute } from "../../../providers/host-route.js";
import { verbsOf } from "../../../providers/provider.js";
import { sysctl } from "../../../providers/sysctl.js";
import { virtualAddress } from "../../../providers/virtual-address.js";
import { Host } from "../../../src/host/host.js";
import { fakeHost, resources } from "../../support/fake/engine.js";
import type { FakeHost } from "../../support/fake/fake-host.js";

const [shop, blog] = ["shop/prod/vip", "blog/prod/front"];
const vip = { interface: "eth0", address: "192.168.0.219", shared: true };
const line = "eth0 192.168.0.219/32 - - -";
const owner = (name: string) => `${name} VirtualAddress eth0/192.168.0.219`;

/** An address that two stacks share. */
async function both(args: Bag = vip) {
  const fake = fakeHost();
  const untouched = fake.snapshot();
  const kind = resources(virtualAddress, fake);
  const first = (await kind.create(args, shop)).props;
  const second = (await kind.create(args, blog)).props;
  await fake.newRun();
  return { fake, untouched, kind, first, second };
}

const vipsOn = (fake: FakeHost) => fake.lines("addresses").filter((text) => text.includes(".219"));

describe("an address that two stacks share", () => {
  test("is made once, has a record of each, and goes with the last one", async () => {
    for (const firstGoes of [true, false]) {
      const { fake, untouched, kind, first, second } = await both();
      expect(vipsOn(fake)).toEqual([line]);
      expect(fake.owners()).toEqual([owner(shop), owner(blog)]);
      const made = fake.changes().length;
      await kind.delete(firstGoes ? first : second);
      expect(fake.changes()).toHaveLength(made);
      expect(fake.owners()).toEqual([owner(firstGoes ? blog : shop)]);
      await kind.delete(firstGoes ? second : first);
      expect(fake.snapshot()).toBe(untouched);
    }
  });

  test("shows each the other by a refresh, and nothing else changes", async () => {
    const { kind, first, second } = await both();
    expect([first.sharedWith, second.sharedWith]).toEqual([undefined, [shop]]);
    const found = await kind.read(first);
    expect(found.props).toEqual({ ...first, sharedWith: [blog] });
    expect(found.inputs).not.toHaveProperty("sharedWith");
    expect(kind.engine.diff("", found.props as Bag, kind.inputsOf(vip, shop))).toEqual({ changes: false });
    await kind.delete(second);
    expect((await kind.read(found.props as Bag)).props).toEqual(first);
  });

  test("is not adopted by the second, so a rollback lets go of it", async () => {
    const { second } = await both();
    expect(second.record).toBeUndefined();
  });

  test("comes back after a reboot as that of one owner does, and shows who came back", async () => {
    const booted = async (...others: Bag[]) => {
      const fake = fakeHost();
      const image = fake.image();
      const kind = resources(virtualAddress, fake);
      const { props } = await kind.create(vip, shop);
      for (const [i, more] of others.entries()) await kind.create({ ...vip, ...more }, `blog/prod/${i}`);
      const before = fake.changes().length;
      await fake.reboot(image);
      expect(await fake.start()).toBe("");
      expect(vipsOn(fake)).toEqual([line]);
      return { props, found: await kind.read(props), changes: fake.changes().slice(before) };
    };
    const alone = await booted();
    const { props, found, changes } = await booted({ persist: false }, {});
    expect(changes).toEqual(alone.changes);
    expect(found.props).toEqual({ ...props, sharedWith: ["blog/prod/1"] });
  });

  test("is gone to both when it was deleted by hand, and either makes it again", async () => {
    const { fake, kind, first, second } = await both();
    fake.write("addresses", "");
    await fake.newRun();
    for (const props of [first, second])
      expect(await kind.read(props)).toMatchObject({ props: { gone: true } });
    await kind.update({ ...second, gone: true }, vip);
    expect(vipsOn(fake)).toEqual([line]);
    expect(fake.owners()).toEqual([owner(shop), owner(blog)]);
  });

  test("is made once and goes when both stacks run at the same time", async () => {
    const fake = fakeHost();
    const untouched = fake.snapshot();
    const runs = [fake.host, new Host("director1", () => fake.open("director1"))];
    const kinds = runs.map((host) => resources(virtualAddress, { host }));
    const made = await Promise.all(kinds.map((kind, i) => kind.create(vip, i ? blog : shop)));
    expect(vipsOn(fake)).toEqual([line]);
    expect(fake.owners().sort()).toEqual([owner(blog), owner(shop)]);
    await Promise.all(kinds.map((kind, i) => kind.delete(made[i]?.props as Bag)));
    for (const host of runs) host.close();
    expect(fake.snapshot()).toBe(untouched);
  });

  test("stays, with the record of the other, when all of one stack is forgotten", async () => {
    const { fake, kind, second } = await both();
    await forget(
      { connection: { host: "director1" }, allOf: "shop/prod", yes: true },
      { list: () => undefined, log: () => undefined },
      () => fake.host,
    );
    expect(fake.owners()).toEqual([owner(blog)]);
    await kind.delete(second);
    expect(vipsOn(fake)).toEqual([]);
  });

  test("stays when the deletion of one fails, with the records of both", async () => {
    const { fake, kind, first } = await both();
    const before = fake.snapshot();
    fake.failCommand("step", 0);
    await expect(kind.delete(first)).rejects.toThrow(/injected failure/);
    fake.mend();
    expect(fake.snapshot()).toBe(before);
  });
});

describe("a second stack with other words is refused, and nothing changes", () => {
  const refused = async (one: Bag, other: Bag) => {
    const fake = fakeHost();
    const kind = resources(virtualAddress, fake);
    await kind.create(one, shop);
    const before = fake.snapshot();
    const message = await kind.create(other, blog).then(
      () => "",
      (error: Error) => error.message,
    );
    expect(fake.snapshot()).toBe(before);
    return message.replace("cannot create eth0/192.168.0.219 on director1: ", "");
  };

  test.each<[string, Bag, Bag, string]>([
    [
      "another prefix",
      vip,
      { ...vip, prefixLength: 24 },
      `it is shared by ${shop}, of another stack, with other settings: prefixLength is 32, wanted 24; write the same settings in both, or set adopt: true here, and the same settings there afterwards`,
    ],
    [
      "no announcement, which the host does not show",
      vip,
      { ...vip, announce: false },
      `it is shared by ${shop}, of another stack, with other settings: its record is "address eth0 192.168.0.219/32 announce", wanted "address eth0 192.168.0.219/32"; write the same settings in both, or set adopt: true here, and the same settings there afterwards`,
    ],
    [
      "no `shared`",
      vip,
      { ...vip, shared: false },
      `it is shared by ${shop}, of another stack; set shared: true here to share it, or set adopt: true to take it over`,
    ],
    [
      "`shared` where the first has none",
      { ...vip, shared: false },
      vip,
      `it belongs to ${shop}, of another stack, which does not share it; set shared: true there and run \`pulumi up\` there first, or set adopt: true to take it over`,
    ],
    [
      "neither",
      { ...vip, shared: false },
      { ...vip, shared: false },
      `it belongs to ${shop}, of another stack; remove it there, or set adopt: true to take it over; removing it there then leaves it alone; to share it, set shared: true in both`,
    ],
  ])("%s", async (_title, one, other, message) => {
    expect(await refused(one, other)).toBe(message);
  });

  test("kinds that cannot be shared do not know the field", () => {
    const { failures } = new Engine(sysctl, () => fakeHost().host).check(
      {},
      { connection: { host: "director1" }, name: "net.ipv4.ip_forward", value: "1", shared: true },
    );
    expect(failures).toEqual([
      { property: "shared", reason: expect.stringContaining("is not a known property") },
    ]);
  });
});

describe("a change of a shared thing", () => {
  test("is refused while another stack has the former settings", async () => {
    const { fake, kind, first } = await both();
    const before = fake.snapshot();
    await expect(kind.update(first, { ...vip, label: "eth0:1" })).rejects.toThrow(
      `it is shared by ${blog}, of another stack, with other settings: label is null, wanted "eth0:1"`,
    );
    await expect(kind.update(first, { ...vip, shared: false })).rejects.toThrow(
      `it is shared by ${blog}, of another stack; set shared: true here`,
    );
    expect(fake.snapshot()).toBe(before);
  });

  test("goes by `adopt`, and the other stack shares again once it says the same", async () => {
    const { fake, untouched, kind, first, second } = await both();
    const news = { ...vip, label: "eth0:1" };
    const changed = await kind.update(first, { ...news, adopt: true });
    expect(vipsOn(fake)).toEqual(["eth0 192.168.0.219/32 - eth0:1 -"]);
    expect(fake.owners()).toEqual([owner(shop)]);
    await expect(kind.update(second, vip)).rejects.toThrow(
      /with other settings: label is "eth0:1", wanted null/,
    );
    const again = await kind.update(second, news);
    expect(fake.owners()).toEqual([owner(shop), owner(blog)]);
    await kind.delete(changed);
    expect(vipsOn(fake)).toHaveLength(1);
    await kind.delete(again);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("from one's own to shared and back writes records only", async () => {
    const fake = fakeHost();
    const kind = resources(virtualAddress, fake);
    const own = { ...vip, shared: false };
    const { props } = await kind.create(own, shop);
    expect(kind.engine.diff("", props, kind.inputsOf(vip, shop))).toMatchObject({ replaces: [] });
    // A state of an older version has no such field.
    const { shared: _, ...older } = props;
    expect(kind.engine.diff("", older, kind.inputsOf(own, shop))).toEqual({ changes: false });
    const made = fake.changes().length;
    const shared = await kind.update(older, vip);
    const guest = (await kind.create(vip, blog)).props;
    await kind.delete(guest);
    await kind.update(shared, own);
    expect(fake.changes()).toHaveLength(made);
    await expect(kind.create(vip, blog)).rejects.toThrow(/which does not share it/);
  });

  test("repairs drift for both", async () => {
    const { fake, kind, first } = await both();
    fake.write("addresses", "eth0 192.168.0.219/24 - - -\n");
    await fake.newRun();
    const { props, inputs } = await kind.read(first);
    expect(props).toMatchObject({ record: "stale", prefixLength: 24 });
    await kind.engine.update("", props as Bag, { ...(inputs as Bag), prefixLength: 32 });
    expect(vipsOn(fake)).toEqual([line]);
    expect(fake.owners()).toEqual([owner(shop), owner(blog)]);
  });
});

describe("an address that others use", () => {
  const route = { destination: "10.0.0.0/8", via: "192.168.10.1", source: "192.168.0.219", shared: true };

  test("and a route that both share go with the last stack", async () => {
    const { fake, untouched, kind, first, second } = await both();
    const routes = resources(hostRoute, fake);
    const [one, other] = [
      await routes.create(route, "shop/prod/r"),
      await routes.create(route, "blog/prod/r"),
    ];
    const made = fake.changes().length;
    await routes.delete(one.props);
    await kind.delete(first);
    expect(fake.changes()).toHaveLength(made);
    await routes.delete(other.props);
    await kind.delete(second);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("stays while a route of another stack sends from it", async () => {
    const { fake, kind, first, second } = await both();
    const routes = resources(hostRoute, fake);
    await routes.create({ ...route, shared: false }, "shop/prod/r");
    // The own route stays with its record, because the address stays.
    await kind.delete(first);
    expect(fake.owners()).toContain("shop/prod/r HostRoute route/10.0.0.0/8");
    await expect(kind.delete(second)).rejects.toThrow(
      "the deletion would also delete what another stack has: shop/prod/r HostRoute route/10.0.0.0/8",
    );
    expect(vipsOn(fake)).toEqual([line]);
  });
});

describe("resources of one stack that share", () => {
  const names = ["shop/prod/a", "shop/prod/b", "shop/prod/c"];

  test("are made and removed at the same time", async () => {
    const fake = fakeHost();
    const untouched = fake.snapshot();
    const kind = resources(virtualAddress, fake);
    const made = await Promise.all(names.map((name) => kind.create(vip, name)));
    expect(fake.owners().sort()).toEqual(names.map(owner));
    expect(made.flatMap(({ props }) => props.sharedWith ?? [])).toEqual([]);
    await Promise.all(made.map(({ props }) => kind.delete(props)));
    expect(fake.snapshot()).toBe(untouched);
  });

  test("may be renamed, with and without `shared` on the new one", async () => {
    for (const shared of [true, false]) {
      const fake = fakeHost();
      const untouched = fake.snapshot();
      const verbs = verbsOf(new Engine(virtualAddress, () => fake.host), new Map());
      const inputs = (name: string, more = {}) =>
        verbs.check({}, { connection: { host: "director1" }, owner: name, ...vip, ...more }).inputs;
      const { outs } = await verbs.create(inputs("shop/prod/old"));
      const next = verbsOf(new Engine(virtualAddress, () => fake.host), new Map());
      const renamed = await next.create(inputs("shop/prod/new", { shared }));
      await next.delete("", outs);
      expect(fake.owners()).toEqual([owner("shop/prod/new")]);
      expect(vipsOn(fake)).toEqual([line]);
      await resources(virtualAddress, fake).delete(renamed.outs);
      expect(fake.snapshot()).toBe(untouched);
    }
  });

  test("are refused in the preview unless all say so, with the same settings", () => {
    const failures = (...all: Bag[]) => {
      const verbs = verbsOf(new Engine(virtualAddress, () => fakeHost().host), new Map());
      const connection = { host: "director1" };
      return all.flatMap((args, i) =>
        verbs
          .check({}, { connection, owner: names[i], ...vip, ...args })
          .failures.map(({ reason }) => reason),
      );
    };
    const twice =
      "director1/eth0/192.168.0.219 is declared twice: by shop/prod/a and by shop/prod/b; take one of them out of the program, or set shared: true in both";
    expect(failures({}, {}, {})).toEqual([]);
    expect(failures({}, { shared: false })).toEqual([twice]);
    expect(failures({ shared: false }, {})).toEqual([twice]);
    expect(failures({}, { shared: unknownValue })).toEqual([]);
    expect(failures({}, { label: unknownValue })).toEqual([]);
    expect(failures({}, { label: "eth0:1" })).toEqual([
      'director1/eth0/192.168.0.219 is shared by shop/prod/a and shop/prod/b with different settings: label is null, wanted "eth0:1"; write the same settings in both',
    ]);
  });
});

test("a setting shows its other claims, too, with the names of resources", async () => {
  const fake = fakeHost();
  const kind = resources(sysctl, fake);
  const forward = { name: "net.ipv4.ip_forward", value: "1" };
  const { props } = await kind.create(forward, "shop/prod/one");
  const other = await kind.create(forward, "blog/prod/two");
  expect(other.props.sharedWith).toEqual(["shop/prod/one"]);
  expect((await kind.read(props)).props).toEqual({ ...props, sharedWith: ["blog/prod/two"] });
});
