import { describe, expect, test } from "vitest";
import type { Definition } from "../../providers/engine/define.js";
import type { Bag } from "../../providers/engine/inputs.js";
import { definitions } from "../support/fake/definitions.js";
import { fakeHost, resources } from "../support/fake/engine.js";
import type { FakeHost } from "../support/fake/fake-host.js";
import { countedKinds } from "../support/fake/faults.js";

const [shop, blog] = ["shop/prod/one", "blog/prod/other"];
const address = { interface: "eth0", address: "192.168.0.219", shared: true };

/** Each kind that several stacks may have at once. The second stack's arguments differ where both may be right. */
const kinds: readonly [name: string, first: Bag, second: Bag][] = [
  ["virtual-address", address, address],
  ["host-route", ...twice({ destination: "10.0.0.0/8", device: "eth0", shared: true })],
  ["sysctl", ...twice({ name: "net.ipv4.ip_forward", value: "1" })],
  ["arp-suppression", {}, { interface: "eth0" }],
  ["ip-forwarding", {}, { sendRedirects: false, interfaces: ["eth1"] }],
  ["kernel-module", ...twice({ name: "ip_vs" })],
];

function twice(args: Bag): [Bag, Bag] {
  return [args, args];
}

const engineOf = (name: string, fake: FakeHost) => resources(definitions.get(name) as Definition, fake);

/** What the first stack has, on a host from before it. */
async function withFirst(name: string, args: Bag) {
  const fake = fakeHost().withModules();
  const image = fake.image();
  const untouched = fake.snapshot();
  const kind = engineOf(name, fake);
  const first = (await kind.create(args, shop)).props;
  await fake.newRun();
  return { fake, image, untouched, kind, first, owned: fake.snapshot() };
}

/** Commands of each sort that a change of the second stack runs. */
async function counts(fake: FakeHost, change: () => Promise<unknown>) {
  fake.countCommands();
  await change();
  const all = countedKinds.map((sort) => [sort, fake.counted(sort)] as const);
  fake.mend();
  return all.flatMap(([sort, n]) => Array.from({ length: n }, (_, i) => [sort, i] as const));
}

describe.each(kinds)("a %s of two stacks", (name, args, others) => {
  test("stays the first one's, whichever command of the second's creation or deletion fails", async () => {
    const { fake, untouched, kind, first, owned } = await withFirst(name, args);
    let made: Bag = {};
    const create = async () => {
      made = (await kind.create(others, blog)).props;
    };
    const creation = await counts(fake, create);
    const both = fake.snapshot();
    const deletion = await counts(fake, () => kind.delete(made));
    expect(creation.length).toBeGreaterThan(0);
    expect(fake.snapshot()).toBe(owned);
    for (const [sort, n] of creation) {
      fake.failCommand(sort, n);
      const failed = await create().then(
        () => false,
        () => true,
      );
      fake.mend();
      // A command whose failure does not matter lets the creation succeed.
      expect(fake.snapshot(), `${sort} ${n}`).toBe(failed ? owned : both);
      if (!failed) await kind.delete(made);
    }
    await create();
    for (const [sort, n] of deletion) {
      fake.failCommand(sort, n);
      const failed = await kind.delete(made).then(
        () => false,
        () => true,
      );
      fake.mend();
      expect(fake.snapshot(), `${sort} ${n} of the deletion`).toBe(failed ? both : owned);
      if (!failed) await create();
    }
    await kind.delete(made);
    expect(fake.snapshot()).toBe(owned);
    await kind.delete(first);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("stays the first one's when the second's creation is cut off, and comes back when its machine dies", async () => {
    const { fake, image, kind, first, owned } = await withFirst(name, args);
    const steps = (
      await counts(fake, async () => kind.delete((await kind.create(others, blog)).props))
    ).filter(([sort]) => sort === "step");
    const both = await (async () => {
      const { props } = await kind.create(others, blog);
      const text = fake.snapshot();
      await kind.delete(props);
      return text;
    })();
    const pause = fake.pauseStep(0);
    const cut = kind.create(others, blog);
    await pause.reached();
    fake.hangUp();
    await expect(cut).rejects.toThrow("[lvs-unknown]");
    pause.go();
    await fake.quiet();
    fake.mend();
    expect([owned, both]).toContain(fake.snapshot());
    if (fake.snapshot() === both) await kind.delete((await kind.create(others, blog)).props);
    expect(fake.snapshot()).toBe(owned);

    let deaths = 0;
    for (const n of steps.keys()) {
      const death = fake.pauseStep(n);
      const dying = kind.create(others, blog).then(
        () => "done",
        () => "failed",
      );
      const reached = await Promise.race([death.reached().then(() => true), dying.then(() => false)]);
      if (!reached) break;
      deaths++;
      await fake.reboot(image);
      expect(await dying).toBe("failed");
      fake.mend();
      expect(await fake.start()).toBe("");
      // Both records are whole, or the first one's is alone: refresh finds the thing as declared.
      const found = await kind.read(first);
      expect({ ...found.props, sharedWith: undefined }, `step ${n}`).toEqual({
        ...first,
        sharedWith: undefined,
      });
      await kind.delete((await kind.create(others, blog)).props);
      expect((await kind.read(first)).props, `step ${n}`).toEqual(first);
    }
    expect(deaths).toBeGreaterThan(0);
  });
});
