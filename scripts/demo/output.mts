import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

const width = 58;

/** Styled on a terminal and plain elsewhere or with NO_COLOR. */
export const styled = (style: Style, text: string): string =>
  styleText(style, text, { stream: process.stdout });

/** Seconds, aligned with those of other lines. */
export const elapsed = (seconds: number): string => `${seconds.toFixed(1).padStart(6)} s`;

let open = false;

/** Begins a line whose time follows: one line each on a terminal and in a log file alike. */
export const beginStep = (title: string): void => {
  endLine();
  process.stdout.write(`  ${title.padEnd(width)}`);
  open = true;
};

/** Ends the line begun last. */
export const endStep = (time: string): void => {
  process.stdout.write(styled("dim", time));
  endLine();
};

/** Ends a line that was begun and has no time. */
const endLine = (): void => {
  if (open) process.stdout.write("\n");
  open = false;
};

/** A line for itself. */
export const print = (line = ""): void => {
  endLine();
  console.log(line);
};

/** What a command printed, set off from our own lines. */
export const show = (lines: readonly string[]): void => {
  for (const line of lines) print(`      ${line}`.trimEnd());
};

/** Says what is being done, does it, and says how long it took. */
export const step = async <T,>(title: string, work: () => Promise<T>): Promise<T> => {
  const start = performance.now();
  beginStep(title);
  const result = await work();
  endStep(elapsed((performance.now() - start) / 1000));
  return result;
};
