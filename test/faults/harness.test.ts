import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FakeHost } from "../support/fake/fake-host.js";
import { countedKinds } from "../support/fake/faults.js";
import { textOf } from "../support/fake/tree.js";
import type { Fault } from "./harness/kinds.js";
import { booted, each, type Mishap, machines, perform, pure, run, tearDown } from "./harness/machines.js";
import { begin, canonical, nextRound, nothing, withAnswers } from "./harness/pulumi.js";
import { afterMixed, beforeMixed } from "./harness/stacks.js";
import { type Scenario, scenario, survive } from "./harness/survive.js";
import { batchOf, machineOf, type Round, up } from "./harness/update.js";

let mixed: Scenario;
beforeAll(async () => {
  mixed = await scenario(
    await up({ images: booted, state: nothing }, await beforeMixed()),
    await afterMixed(),
  );
}, 120_000);
afterAll(tearDown);

const roundWith = (machine: Fault["machine"]): Round =>
  mixed.reference.rounds.find(({ done }) => done[machine]) as Round;

test("no script changes anything but by commands that faults are bound to", async () => {
  const failing: Mishap = {
    arm: (fake) => {
      for (const kind of countedKinds) for (let n = 0; n < 60; n++) fake.failCommand(kind, n);
    },
  };
  let failed = 0;
  for (const { rounds } of [mixed.reference, await up(mixed.reference, [])]) {
    for (const one of rounds) {
      for (const machine of machines.filter((name) => one.done[name])) {
        const { image, commands } = await run(batchOf(one, machine), failing);
        expect(textOf(image)).toBe(textOf(one.images[machine]));
        failed += commands.step + commands.bulk + commands.aside;
      }
    }
  }
  expect(failed).toBeGreaterThan(20);
});

test("an update by one process on machines that go on ends as one that is put together of rounds", async () => {
  const fakes = each((machine) => new FakeHost({ label: machine }));
  try {
    for (const machine of machines) fakes[machine].restore(mixed.start.images[machine]);
    const made = each(() => new Map());
    let next = nextRound(begin(mixed.start.state, mixed.goals), pure);
    while (next.calls.length > 0) {
      const answers = await Promise.all(
        next.calls.map((call) => perform(call, fakes[machineOf(call)], made[machineOf(call)])),
      );
      next = nextRound(withAnswers(next.progress, next.calls, answers), pure);
    }
    expect(canonical(next.progress.state)).toBe(canonical(mixed.reference.state));
    for (const machine of machines)
      expect(textOf(fakes[machine].image())).toBe(textOf(mixed.reference.images[machine]));
  } finally {
    for (const machine of machines) await fakes[machine].dispose();
  }
});

describe("what is not as promised is noticed:", () => {
  const strays: Record<string, [(fake: FakeHost) => void, RegExp]> = {
    "an entry that is left over": [
      (fake) => fake.write("ipvs", `${fake.read("ipvs")}-A -t 192.168.0.99:80 -s rr\n`),
      /director differs after/,
    ],
    "a record that is left over": [
      (fake) =>
        fake.write(
          "etc/pulumi-lvs/boot",
          `${fake.read("etc/pulumi-lvs/boot")}90\tobject\tX y\tp/s/n\tmonitor\n`,
        ),
      /director differs after/,
    ],
    "a resource that is neither as before nor as after": [
      (fake) => fake.write("ipvs", fake.read("ipvs").replace(":443 -s rr", ":443 -s sh")),
      /is in between/,
    ],
    "a record that is lost": [
      (fake) =>
        fake.write(
          "etc/pulumi-lvs/boot",
          fake.read("etc/pulumi-lvs/boot").replace(/^.*\tHostRoute .*\n/m, ""),
        ),
      /is in between/,
    ],
  };

  test.each(Object.entries(strays))("%s", async (_, [stray, message]) => {
    const place = { round: roundWith("director"), machine: "director", place: "here" } as const;
    const fault: Fault = { ...place, mishap: { arm: stray } };
    await expect(survive(mixed, { ...place, mishap: {} })).resolves.toBe(true);
    await expect(survive(mixed, fault)).rejects.toThrow(message);
  });
});
