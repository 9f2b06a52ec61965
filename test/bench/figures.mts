/** Figures of one turn by what was measured, such as the seconds of an operation. An absent one cannot be had. */
export type Figures = Readonly<Record<string, number>>;

/** What one contender did for one shape, each repeat. */
export interface Row {
  readonly contender: string;
  /** What was made, such as `100 real servers`. */
  readonly shape: string;
  /** The number by which cost grows. */
  readonly count: number;
  readonly repeats: readonly Figures[];
  /** The engine's own figures of the same turns. */
  readonly floor: readonly Figures[];
}

interface Spread {
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

/** Figures of one name over all repeats; undefined if there are none. */
export function figuresOf({ repeats }: Pick<Row, "repeats">, name: string): Spread | undefined {
  const values = repeats.flatMap((one) => one[name] ?? []);
  return values.length > 0 ? spread(values) : undefined;
}

/** The ratios to the floor of the same repeat; undefined if one of the two was not done. */
export function ratiosOf(row: Row, name: string): Spread | undefined {
  const values = row.repeats.flatMap((one, i) => {
    const [ours, base] = [one[name], row.floor[i]?.[name]];
    return ours === undefined || base === undefined ? [] : [ours / base];
  });
  return values.length > 0 ? spread(values) : undefined;
}

/** How figures grow with the count: the least squares of `log figure` over `log count`. */
export function exponentOf(rows: readonly Row[], name: string): number | undefined {
  const points = rows.flatMap((row) => {
    const found = figuresOf(row, name);
    return found ? [[Math.log(row.count), Math.log(found.median)] as const] : [];
  });
  if (points.length < 2) return undefined;
  const mean = (of: 0 | 1) => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const over = points.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  return over / points.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}

/** A median, with the least and the most in brackets where they differ. */
export function shown(found: Spread | undefined, unit: string): string {
  if (!found) return "–";
  const digits = (value: number) => {
    if (Number.isInteger(value)) return String(value);
    return value < 0.1 ? value.toPrecision(1) : value.toFixed(value < 10 ? 2 : value < 1000 ? 1 : 0);
  };
  const { least, median, most } = found;
  return least === most
    ? `${digits(median)}${unit}`
    : `${digits(median)}${unit} (${digits(least)}–${digits(most)})`;
}

/** A Markdown table: a row of names, and rows of cells. */
export const markdown = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
