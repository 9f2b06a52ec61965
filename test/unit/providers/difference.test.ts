import { expect, test } from "vitest";
import { describeDifference } from "../../../providers/engine/difference.js";

const pool = (weights: readonly number[]) => ({
  realServers: Object.fromEntries(weights.map((weight, i) => [`192.168.10.1${i}:80`, { weight }])),
});

test("a difference in a map names the field that differs, however many are before it", () => {
  expect(describeDifference(pool([1, 1, 1, 1, 7]), pool([1, 1, 1, 1, 1]))).toBe(
    'realServers["192.168.10.14:80"].weight is 7, wanted 1',
  );
  expect(describeDifference(pool([1]), pool([1, 2]))).toBe(
    'realServers["192.168.10.11:80"] is nothing, wanted {"weight":2}',
  );
  expect(describeDifference(pool([1, 2]), pool([1]))).toBe(
    'realServers["192.168.10.11:80"] is {"weight":2}, wanted nothing',
  );
});

test("a difference between a value and none shows both, and what is not wanted does not count", () => {
  expect(
    describeDifference(
      { persistence: null, scheduler: "rr", more: 1 },
      { persistence: { timeout: 300 }, scheduler: "wlc" },
    ),
  ).toBe('persistence is null, wanted {"timeout":300}, scheduler is "rr", wanted "wlc"');
});
