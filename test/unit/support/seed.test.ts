import { expect, test } from "vitest";
import { seedOf } from "../../support/seed.mjs";
import { someOf } from "../../support/some-of.js";

test("a seed is an integer, or drawn, and anything else is refused", () => {
  expect(seedOf(undefined)).toBe(seedOf(""));
  expect(seedOf("7")).toBe(7);
  expect(seedOf("random")).toSatisfy(Number.isSafeInteger);
  expect(() => seedOf("seven")).toThrow("LVS_SEED must be an integer, or random, and is seven");
});

test("each list has a case, whatever the seed", () => {
  for (const length of [1, 2, 5, 100]) expect(someOf([...Array(length).keys()], 5).length).toBeGreaterThan(0);
});
