import type { TestModule } from "vitest/node";

/** Minutes that `npm test` may take on two free cores once everything is cached; a run above it says so and still passes. */
const budget = 25;

/** Rows of the slowest files. */
const slowest = 10;

const row = (seconds: number, name: string): string => `${seconds.toFixed(0).padStart(6)} s  ${name}`;

/** What a module took, its hooks included. */
const secondsOf = (module: TestModule): number => module.diagnostic().duration / 1000;

/** A table of seconds: each project, the slowest files, and the whole run against its budget. Files run side by side, so the sums are above the whole. */
export function durations(modules: readonly TestModule[], runSeconds: number): string[] {
  const sums = new Map<string, number>();
  for (const module of modules)
    sums.set(module.project.name, (sums.get(module.project.name) ?? 0) + secondsOf(module));
  const files = [...modules].sort((a, b) => secondsOf(b) - secondsOf(a)).slice(0, slowest);
  const result = runSeconds > budget * 60 ? "above" : "within";
  return [
    "seconds of each project, its files added up",
    ...[...sums].map(([name, seconds]) => row(seconds, name)),
    `seconds of the ${files.length} slowest files`,
    ...files.map((module) => row(secondsOf(module), `|${module.project.name}| ${module.relativeModuleId}`)),
    `the tests took ${(runSeconds / 60).toFixed(1)} min, ${result} the budget of ${budget} min`,
  ];
}
