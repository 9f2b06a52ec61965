import { type Operation, operations, type Seconds } from "./measure.mts";

/** What one contender did at one size, each repeat. */
export interface Row {
  readonly contender: string;
  readonly count: number;
  readonly repeats: readonly Seconds[];
}

export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2;
  return { least: sorted[0] as number, median, most: sorted.at(-1) as number };
}

/** Seconds of an operation over all repeats; undefined if it was not done. */
export function secondsOf({ repeats }: Row, operation: Operation): Spread | undefined {
  const values = repeats.flatMap((one) => one[operation] ?? []);
  return values.length > 0 ? spread(values) : undefined;
}

/** The ratios to the floor of the same repeat; undefined if one of the two was not done. */
export function ratiosOf(row: Row, floor: Row, operation: Operation): Spread | undefined {
  const values = row.repeats.flatMap((one, i) => {
    const [ours, base] = [one[operation], floor.repeats[i]?.[operation]];
    return ours === undefined || base === undefined ? [] : [ours / base];
  });
  return values.length > 0 ? spread(values) : undefined;
}

/** How seconds grow with the number of servers: the least squares of `log seconds` over `log count`. */
export function exponentOf(rows: readonly Row[], operation: Operation): number | undefined {
  const points = rows.flatMap((row) => {
    const found = secondsOf(row, operation);
    return found ? [[Math.log(row.count), Math.log(found.median)] as const] : [];
  });
  if (points.length < 2) return undefined;
  const mean = (of: 0 | 1) => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const over = points.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  return over / points.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}

const shown = (found: Spread | undefined, unit: string): string => {
  if (!found) return "–";
  const digits = (value: number) => value.toFixed(value < 10 ? 2 : 1);
  const { least, median, most } = found;
  return least === most
    ? `${digits(median)}${unit}`
    : `${digits(median)}${unit} (${digits(least)}–${digits(most)})`;
};

/** A Markdown table of one size: ratios to the floor first, then seconds. */
export function tableOf(rows: readonly Row[]): string {
  const floor = rows.find(({ contender }) => contender === "floor") as Row;
  const head = ["", ...operations];
  const ratios = rows
    .filter((row) => row !== floor)
    .map((row) => [
      `${row.contender} / floor`,
      ...operations.map((one) => shown(ratiosOf(row, floor, one), " ×")),
    ]);
  const seconds = rows.map((row) => [
    row.contender,
    ...operations.map((one) => shown(secondsOf(row, one), " s")),
  ]);
  const lines = [head, head.map(() => "---"), ...ratios, ...seconds];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
