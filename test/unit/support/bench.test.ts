import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parts } from "../../bench/data.mjs";
import { exponentOf, figuresOf, type Row, ratiosOf, shown } from "../../bench/figures.mjs";
import { tablesOf } from "../../bench/page.mjs";

const row = (count: number, up: number[], floor: number[]): Row => ({
  ...{ contender: "ours", shape: `${count}`, count },
  repeats: up.map((seconds) => ({ up: seconds })),
  floor: floor.map((seconds) => ({ up: seconds })),
});

test("docs/performance.md has a place for the figures of each benchmark", () => {
  const page = readFileSync(join(__dirname, "../../../docs/performance.md"), "utf8");
  for (const name of parts)
    expect(page, name).toMatch(new RegExp(`<!-- bench ${name} -->\\n[\\s\\S]*\\n<!-- end of ${name} -->`));
});

test("ratios compare repeats of the same turn, and a figure is the median", () => {
  const one = row(100, [2, 6, 30], [1, 2, 3]);
  expect(ratiosOf(one, "up")).toEqual({ least: 2, median: 3, most: 10 });
  expect(shown(figuresOf(one, "up"), " s")).toBe("6 s (2–30)");
  expect(ratiosOf(one, "refresh")).toBeUndefined();
});

test("a row of other turns than the floor's has its own floor in the table", () => {
  const floor = { ...row(100, [2], [2]), contender: "floor" };
  const lines = tablesOf("servers", [
    floor,
    row(100, [6], [2]),
    { ...row(100, [6], [3]), contender: "other" },
  ]);
  expect(lines.split("\n").map((line) => line.split(" | ").slice(0, 2).join(" "))).toEqual([
    "| 100 up",
    "| --- ---",
    "| ours / floor 3 ×",
    "| other / floor 2 ×",
    "| floor 2 s",
    "| ours 6 s",
    "| other 6 s",
    "| floor of other 3 s",
  ]);
});

test("growth is the power of the count", () => {
  const rows = [10, 100, 1000].map((count) => row(count, [count ** 1.5], [1]));
  expect(exponentOf(rows, "up")).toBeCloseTo(1.5);
  expect(exponentOf(rows.slice(1, 2), "up")).toBeUndefined();
});
