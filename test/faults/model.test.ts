import { describe, expect, test } from "vitest";
import { findPulumi } from "../../scripts/setup/pulumi.mjs";
import { canonical } from "./harness/pulumi.js";
import { type Act, goal, modelled, real } from "./harness/toy.js";

const missing = findPulumi() ? undefined : "there is no Pulumi CLI: node scripts/setup.mjs gets it";

const abc = (value: string, key = "k") => [
  goal("a", value),
  goal("b", value, ["a"], key),
  goal("c", value, ["b"]),
];

const stories: Record<string, Act[]> = {
  "a create, an update and a delete that fail": [
    { verb: "up", goals: abc("1"), faults: { "create b": "throw" } },
    { verb: "up", goals: abc("1") },
    { verb: "up", goals: abc("2"), faults: { "update b": "throw" } },
    { verb: "up", goals: abc("2") },
    { verb: "up", goals: [goal("a", "3")], faults: { "delete c": "throw" } },
    { verb: "up", goals: [goal("a", "3")] },
  ],
  "a create and an update that are half done, and refresh": [
    { verb: "up", goals: abc("1"), faults: { "create b": "half" } },
    { verb: "up", goals: abc("1") },
    { verb: "up", goals: abc("2"), faults: { "update b": "half" } },
    { verb: "refresh" },
    { verb: "up", goals: abc("2") },
    { verb: "up", goals: [...abc("2"), goal("d", "2")], faults: { "create d": "half" } },
    { verb: "destroy" },
  ],
  "a replacement whose old one cannot be deleted": [
    { verb: "up", goals: abc("1") },
    { verb: "up", goals: abc("1", "other"), faults: { "delete b": "throw" } },
    { verb: "up", goals: abc("1", "other"), faults: { "delete b": "wait" }, signal: "SIGKILL" },
    { verb: "refresh" },
    { verb: "up", goals: abc("1", "other") },
  ],
  signals: [
    { verb: "up", goals: abc("1"), faults: { "create b": "wait" }, signal: "SIGINT" },
    { verb: "up", goals: abc("2"), faults: { "update b": "wait" }, signal: "SIGTERM" },
    { verb: "up", goals: abc("3"), faults: { "update b": "wait" }, signal: "SIGKILL" },
    { verb: "up", goals: abc("3") },
    { verb: "up", goals: [...abc("3"), goal("d", "3")], faults: { "create d": "wait" }, signal: "SIGKILL" },
    { verb: "up", goals: [...abc("3"), goal("d", "3")] },
    { verb: "refresh" },
  ],
};

describe.skipIf(missing !== undefined)(
  missing
    ? `the model (skipped: ${missing})`
    : "the model makes the same calls and keeps the same state as Pulumi after",
  () => {
    for (const [title, acts] of Object.entries(stories)) {
      test.concurrent(title, async () => {
        const show = (all: ReturnType<typeof modelled>) =>
          all.map(({ state, calls }, i) => ({ act: i, calls, state: JSON.parse(canonical(state)) }));
        expect(show(modelled(acts))).toEqual(show(await real(acts)));
      });
    }
  },
);
