import { expect, test } from "vitest";
import type { TestModule } from "vitest/node";
import { durations } from "../../support/durations.js";

const moduleOf = (project: string, file: string, seconds: number) =>
  ({
    project: { name: project },
    relativeModuleId: file,
    diagnostic: () => ({ duration: seconds * 1000 }),
  }) as unknown as TestModule;

test("a run ends with the seconds of each project and of the slowest files, and with its budgets", () => {
  const modules = [
    moduleOf("lab", "a.test.mts", 20),
    moduleOf("stock", "b.test.mts", 361),
    moduleOf("lab", "c.test.mts", 100.4),
    ...Array.from({ length: 10 }, (_, i) => moduleOf("quick", `${i}.test.ts`, 1)),
  ];
  expect(durations(modules, 25 * 60)).toEqual([
    "seconds of each project, its files added up",
    "   120 s  lab",
    "   361 s  stock",
    "    10 s  quick",
    "seconds of the 10 slowest files",
    "   361 s  |stock| b.test.mts",
    "   100 s  |lab| c.test.mts",
    "    20 s  |lab| a.test.mts",
    ...Array.from({ length: 7 }, (_, i) => `     1 s  |quick| ${i}.test.ts`),
    "the smoke on the stock kernel took 6.0 min, above the budget of 6 min",
    "the tests took 25.0 min, within the budget of 25 min",
  ]);
  expect(durations(modules.slice(0, 1), 1501).at(-1)).toBe(
    "the tests took 25.0 min, above the budget of 25 min",
  );
});
