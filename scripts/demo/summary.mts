import { elapsed, print, styled } from "./output.mts";

type Row = { title: string; seconds: number; note: string };

const rows: Row[] = [];

/** Adds what was done before this process began. */
export const note = (row: Row): void => {
  rows.push(row);
};

/** A part of the demo with a heading; what it returns is its note in the summary. */
export const part = async (title: string, work: () => Promise<string>): Promise<void> => {
  const start = performance.now();
  print(`\n${styled("bold", title)}`);
  const result = await work();
  rows.push({ title, seconds: (performance.now() - start) / 1000, note: result });
};

/** The table of all parts. */
export const printSummary = (): void => {
  const total = rows.reduce((sum, { seconds }) => sum + seconds, 0);
  print(`\n${styled("bold", "Summary")}`);
  for (const { title, seconds, note } of [...rows, { title: "Total", seconds: total, note: "" }])
    print(`  ${title.padEnd(18)}${elapsed(seconds)}   ${note}`.trimEnd());
};
