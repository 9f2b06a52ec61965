import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { chartOf } from "./chart.mts";
import type { Part, PartName } from "./data.mts";
import { exponentOf, figuresOf, markdown, type Row, ratiosOf, shown } from "./figures.mts";
import { operations, work } from "./measure.mts";

const shapesOf = (rows: readonly Row[]): string[] => [...new Set(rows.map(({ shape }) => shape))];

const isFloor = ({ contender }: Row): boolean => contender === "floor";

/** The floors of rows that were measured in other turns than the floor of the table. */
const otherFloors = (rows: readonly Row[]): Row[] => {
  const floor = rows.find(isFloor)?.repeats;
  return rows
    .filter((row) => !isDeepStrictEqual(row.floor, floor))
    .map((row) => ({ ...row, contender: `floor of ${row.contender}`, repeats: row.floor }));
};

/** A table of one shape: ratios to the floor first, then seconds. */
function timesOf(rows: readonly Row[]): string {
  const columns = [...operations, ...(rows.filter((row) => figuresOf(row, work)).length > 1 ? [work] : [])];
  return markdown(
    [rows[0]?.shape ?? "", ...columns],
    [
      ...rows
        .filter((row) => !isFloor(row))
        .map((row) => [`${row.contender} / floor`, ...columns.map((one) => shown(ratiosOf(row, one), " ×"))]),
      ...[...rows, ...otherFloors(rows)].map((row) => [
        row.contender,
        ...columns.map((one) => shown(figuresOf(row, one), " s")),
      ]),
    ],
  );
}

const growthOf = (rows: readonly Row[]): string => {
  const contenders = [...new Set(rows.map(({ contender }) => contender))];
  return markdown(
    ["power of the number of servers", ...operations],
    contenders.map((contender) => [
      contender,
      ...operations.map((operation) => {
        const own = rows.filter((row) => row.contender === contender);
        return exponentOf(own, operation)?.toFixed(2) ?? "–";
      }),
    ]),
  );
};

/** Every name of a figure that the rows have. */
const namesOf = (rows: readonly Row[]): string[] => [
  ...new Set(rows.flatMap(({ repeats }) => repeats.flatMap((one) => Object.keys(one)))),
];

/** A table with a row for each contender and shape, and a column for each figure. A name ends with its unit in brackets. */
const plainOf = (rows: readonly Row[]): string =>
  markdown(
    ["", "", ...namesOf(rows)],
    rows.map((row) => [
      row.shape,
      row.contender,
      ...namesOf(rows).map((name) => shown(figuresOf(row, name), "")),
    ]),
  );

/** The tables of one benchmark. */
export function tablesOf(name: PartName, rows: readonly Row[]): string {
  if (name === "hosts" || name === "traffic") return plainOf(rows);
  const tables = shapesOf(rows).map((shape) => timesOf(rows.filter((row) => row.shape === shape)));
  return [...tables, ...(tables.length > 1 ? [growthOf(rows)] : [])].join("\n\n");
}

const docs = join(import.meta.dirname, "../../docs");

/** Writes the figures into the page between its marks, and the chart. The words around them stay. */
export function writePage(measured: Partial<Record<PartName, Part>>): void {
  const page = join(docs, "performance.md");
  let text = readFileSync(page, "utf8");
  for (const [name, { conditions, rows, absent }] of Object.entries(measured)) {
    const lines = [
      ...(name === "servers" ? ["![Ratios to the engine's floor](performance.svg)", ""] : []),
      tablesOf(name as PartName, rows),
      "",
      ...conditions.map((line) => `- ${line}`),
      ...absent.map((line) => `- Not measured: ${line}`),
    ];
    const mark = new RegExp(`(<!-- bench ${name} -->\n)[\\s\\S]*?(\n<!-- end of ${name} -->)`);
    if (!mark.test(text)) throw new Error(`${page} has no place for the figures of ${name}`);
    text = text.replace(mark, (_, begin, end) => `${begin}\n${lines.join("\n")}\n${end}`);
  }
  writeFileSync(page, text);
  const servers = measured.servers?.rows;
  if (servers) writeFileSync(join(docs, "performance.svg"), chartOf("pulumi-lvs --parallel 64", servers));
  execFileSync("biome", ["check", "--write", page], { stdio: "inherit" });
}
