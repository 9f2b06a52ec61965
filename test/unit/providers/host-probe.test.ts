import { expect, test, vi } from "vitest";
import { rollingBack } from "../../../providers/engine/rolling-back.js";
import { hostProbe } from "../../../providers/host-probe.js";
import { fakeHost, resources } from "../../support/fake/engine.js";

/** A probe, and the number of times that it has looked at the host. */
function probe() {
  const fake = fakeHost();
  return { fake, looks: () => fake.host.scripts, ...resources(hostProbe, fake) };
}

test("a probe looks when it is created and when its triggers change, and at no other time", async () => {
  const { fake, looks, create, update, read, delete: remove } = probe();
  const before = fake.snapshot();
  const { id, props } = await create({ triggers: { weight: 1 } });
  expect([id, looks()]).toEqual(["director1/probe", 1]);
  const connected = await update(props, {
    connection: { host: "director1", user: "admin" },
    triggers: { weight: 1 },
  });
  await read(connected);
  expect(looks()).toBe(1);
  const changed = await update(connected, { triggers: { weight: 2 } });
  expect(looks()).toBe(2);
  await remove(changed);
  expect(looks()).toBe(2);
  expect(fake.snapshot()).toBe(before);
});

test("a probe of a host that does not answer fails, and a rollback does not look", async () => {
  const { fake, looks, create, update } = probe();
  const { props } = await create({ triggers: 1 });
  fake.cutAfter = 0;
  await expect(update(props, { triggers: 2 })).rejects.toThrow("cannot update probe on director1: ");
  vi.stubEnv(rollingBack, "1");
  const before = looks();
  expect(await update(props, { triggers: 2 })).toMatchObject({ triggers: 2 });
  expect(looks()).toBe(before);
});
