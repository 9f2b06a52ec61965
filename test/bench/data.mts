import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { cacheRoot } from "../../scripts/setup/cache.mjs";
import { findPulumi } from "../../scripts/setup/pulumi.mjs";
import type { Row } from "./figures.mts";

/** What one benchmark has measured. It is kept outside the checkout until the page is written, so that a run may go in parts. */
export interface Part {
  /** Where and when the newest row was measured. */
  readonly conditions: readonly string[];
  readonly rows: readonly Row[];
  /** What could not be measured, and why. */
  readonly absent: readonly string[];
}

/** The benchmarks that the page has. */
export const parts = ["servers", "pools", "hosts", "traffic"] as const;
export type PartName = (typeof parts)[number];

const file = () => join(cacheRoot(), "bench.json");

/** Returns all that was measured. */
export function measuredParts(): Partial<Record<PartName, Part>> {
  try {
    return JSON.parse(readFileSync(file(), "utf8")) as Partial<Record<PartName, Part>>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}

/** Returns the lines that say what the figures were measured on. `lab` tells of the machines that served as hosts. */
export const conditionsOf = (lab: string): string[] => [
  `Date: ${new Date().toISOString().slice(0, 10)}`,
  `Machine: ${cpus().length} processors (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}`,
  `Load of the machine before: ${loadavg()[0]?.toFixed(1)} processes for its processors`,
  `Hosts: ${lab}`,
  `Pulumi ${findPulumi()?.version}, Node ${process.versions.node}`,
];

/** Whether a new row takes the place of an old one. A run of one contender does not hide a floor of more repeats. */
const replaces = (row: Row, old: Row): boolean =>
  row.contender === old.contender &&
  row.shape === old.shape &&
  (row.contender !== "floor" || row.repeats.length >= old.repeats.length);

/** Keeps new rows in the place of those of the same contender and shape. */
export function keep(name: PartName, { conditions, rows, absent }: Part): void {
  const all = measuredParts();
  const old = all[name]?.rows ?? [];
  const kept = old.filter((one) => !rows.some((row) => replaces(row, one)));
  const isKept = ({ contender, shape }: Row) =>
    kept.some((one) => one.contender === contender && one.shape === shape);
  const merged = [...kept, ...rows.filter((row) => !isKept(row))].sort((a, b) => a.count - b.count);
  const names = new Set(merged.map(({ contender }) => contender));
  const missing = [...new Set([...(all[name]?.absent ?? []), ...absent])];
  all[name] = {
    conditions,
    rows: merged,
    absent: missing.filter((line) => ![...names].some((contender) => line.startsWith(`${contender}: `))),
  };
  mkdirSync(dirname(file()), { recursive: true });
  writeFileSync(`${file()}.new`, JSON.stringify(all, null, 1));
  renameSync(`${file()}.new`, file());
}
