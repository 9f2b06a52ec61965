import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Gathering } from "../../../src/host/gathering.js";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/**
 * Has jobs come with these milliseconds between them after a batch that took `took`, and one `during` it. Returns how
 * long the last waits.
 */
async function wait(took: number, gaps: readonly number[], during?: number): Promise<number> {
  const gathering = new Gathering();
  gathering.came();
  gathering.begin();
  if (during !== undefined) {
    await vi.advanceTimersByTimeAsync(during);
    gathering.came();
  }
  await vi.advanceTimersByTimeAsync(took - (during ?? 0));
  gathering.end(1);
  gathering.came();
  let newest = performance.now();
  let ended = 0;
  void gathering
    .complete(() => 1)
    .then(() => {
      ended = performance.now();
    });
  for (const gap of gaps) {
    await vi.advanceTimersByTimeAsync(gap);
    gathering.came();
    newest = performance.now();
  }
  await vi.advanceTimersByTimeAsync(5000);
  return Math.round(ended - newest);
}

test.each([
  ["a single job waits a quarter of the time of the batch before", 600, [], 150],
  ["jobs that come quickly wait 50 ms at most", 600, [3, 5], 50],
  ["jobs that come slowly wait four times the longest gap", 600, [3, 30, 5], 120],
  ["no job waits longer than by the batch before", 600, [60], 150],
  ["a job waits 25 ms after a quick batch", 40, [3], 25],
] as const)("%s", async (_, took, gaps, milliseconds) => {
  expect(await wait(took, gaps)).toBe(milliseconds);
});

test("a job that comes while a batch runs does not show the pace", async () => {
  expect(await wait(600, [3], 400)).toBe(50);
});

test("24 jobs wait for no others", async () => {
  const gathering = new Gathering();
  let count = 0;
  let ended = 0;
  void gathering
    .complete(() => count)
    .then(() => {
      ended = count;
    });
  for (count = 1; count <= 30; count++) {
    gathering.came();
    await vi.advanceTimersByTimeAsync(5);
  }
  expect(ended).toBe(24);
});
