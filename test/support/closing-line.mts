import type { Reporter, TestModule, TestSpecification } from "vitest/node";
import { durations } from "./durations.ts";
import { choose } from "./machines/choose.mts";
import { seed } from "./seed.mts";
import { tallied } from "./tally.ts";

/** What tests counted, as a table; empty where none did. */
function table(modules: readonly TestModule[]): string[] {
  const rows = tallied.flatMap((line) => {
    const counts = modules
      .flatMap((module) => [...module.children.allTests()])
      .flatMap((test) => test.meta().tally?.[line] ?? []);
    const sum = (of: "tried" | "held") => counts.reduce((total, count) => total + count[of], 0);
    return counts.length > 0 ? [[line, sum("tried"), sum("held"), sum("tried") - sum("held")]] : [];
  });
  if (rows.length === 0) return [];
  return [["", "injected or generated", "held", "lost"], ...rows].map(
    ([line, ...cells]) =>
      String(line).padEnd(22) + cells.map((cell, i) => String(cell).padStart(i === 0 ? 21 : 9)).join(""),
  );
}

/** Ends a run with what it took, and one plain line that any CI can read: `N passed, N failed, N skipped`. */
export default class ClosingLine implements Reporter {
  #start = performance.now();

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.#start = performance.now();
    const { name, why } = choose();
    if (specifications.some(({ project }) => project.name === "lab"))
      console.log(`the lab's machines run on ${name} (${why})`);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) for (const test of module.children.allTests()) count[test.result().state]++;
    // a file that does not even load has no tests to fail
    const broken = modules.filter(
      (module) => module.state() === "failed" && [...module.children.allTests()].length === 0,
    ).length;
    // groups that could not run say why in their title
    const suites = modules.flatMap((module) => [...module.children.allSuites()]);
    const reasons = suites.flatMap(({ name }) => /\(skipped: (.*)\)$/.exec(name)?.[1] ?? []);
    for (const reason of new Set(reasons)) console.log(`skipped: ${reason}`);
    for (const line of table(modules)) console.log(line);
    const seconds = (performance.now() - this.#start) / 1000;
    if (modules.length > 1) for (const line of durations(modules, seconds)) console.log(line);
    if (count.failed + broken > 0) console.log(`LVS_SEED=${seed} tries the same cases again`);
    console.log(
      `${count.passed} passed, ${count.failed + broken} failed, ${count.skipped + count.pending} skipped`,
    );
  }
}
