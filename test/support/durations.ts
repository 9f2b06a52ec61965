import type { TestModule } from "vitest/node";

/** Minutes that `npm test` may take on two free cores once everything is cached; a run above it says so and still passes. */
const budget = 25;

/** Minutes of the smoke on the kernel of a distribution, which is a project of its own. */
const stockBudget = 6;

const against = (seconds: number, minutes: number): string =>
  `${(seconds / 60).toFixed(1)} min, ${seconds > minutes * 60 ? "above" : "within"} the budget of ${minutes} min`;

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
  const stock = sums.get("stock");
  return [
    "seconds of each project, its files added up",
    ...[...sums].map(([name, seconds]) => row(seconds, name)),
    `seconds of the ${files.length} slowest files`,
    ...files.map((module) => row(secondsOf(module), `|${module.project.name}| ${module.relativeModuleId}`)),
    ...(stock === undefined ? [] : [`the smoke on the stock kernel took ${against(stock, stockBudget)}`]),
    `the tests took ${against(runSeconds, budget)}`,
  ];
}
