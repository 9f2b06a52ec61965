import { type Row, ratiosOf } from "./figures.mts";
import { operations } from "./measure.mts";

const [width, barHeight, left] = [760, 14, 130] as const;
const colours = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728"] as const;

/** An SVG chart of the ratios to the floor: a group of bars for each operation, a bar for each size. */
export function chartOf(name: string, rows: readonly Row[]): string {
  const sizes = [...new Set(rows.map(({ count }) => count))];
  const at = (contender: string, count: number) =>
    rows.find((row) => row.contender === contender && row.count === count);
  const bars = operations.flatMap((operation, group) =>
    sizes.flatMap((count, i) => {
      const row = at(name, count);
      const ratio = row && ratiosOf(row, operation)?.median;
      return ratio === undefined ? [] : [{ operation, group, i, count, ratio }];
    }),
  );
  const most = Math.max(2, ...bars.map(({ ratio }) => ratio));
  const scale = (ratio: number) => (ratio / most) * (width - left - 60);
  const groupHeight = barHeight * sizes.length + 12;
  const height = groupHeight * operations.length + 50;
  const parts = [
    ...operations.map(
      (operation, group) =>
        `<text x="${left - 8}" y="${group * groupHeight + 30 + (barHeight * sizes.length) / 2}" text-anchor="end">${operation}</text>`,
    ),
    ...bars.map(({ group, i, ratio, count }) => {
      const y = group * groupHeight + 22 + i * barHeight;
      return `<rect x="${left}" y="${y}" width="${scale(ratio).toFixed(1)}" height="${barHeight - 2}" fill="${colours[i % colours.length]}"/><text x="${(left + scale(ratio) + 4).toFixed(1)}" y="${y + 10}">${ratio.toFixed(2)} × (${count})</text>`;
    }),
    `<line x1="${(left + scale(1)).toFixed(1)}" x2="${(left + scale(1)).toFixed(1)}" y1="16" y2="${height - 24}" stroke="#000" stroke-dasharray="3 3"/>`,
    `<text x="${left}" y="${height - 8}">${name}: seconds as a multiple of the engine's own (dashed line), by number of servers</text>`,
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11">
<title>${name}: updates as a multiple of the engine's own time</title>
${parts.join("\n")}
</svg>
`;
}
