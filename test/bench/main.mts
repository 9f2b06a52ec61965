// npm run bench: what it costs to make tables of real servers, beside other ways, side by side in one run on the lab.
import { writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { findPulumi } from "../../scripts/setup/pulumi.mjs";
import { choose } from "../support/machines/choose.mts";
import { run, up } from "../support/machines/lab.mts";
import { chartOf } from "./chart.mts";
import { exponentOf, type Row, tableOf } from "./figures.mts";
import { contenders, operations, type Seconds } from "./measure.mts";

const numbers = (text: string): number[] => text.split(",").map(Number);

const options = new Command("npm run bench --")
  .option("--quick", "10 and 100 servers, one repeat, the package and the floor only; writes nothing")
  .option("--sizes <list>", "numbers of real servers", numbers, [10, 100, 500, 1000])
  .option("--repeats <number>", "repeats of each; three for those over a minute", Number, 5)
  .option("--only <names>", "contenders, such as floor,pulumi-lvs", (text) => text.split(","))
  .option("--write", "write docs/performance.md and its chart")
  .parse()
  .opts<{ quick?: true; sizes: number[]; repeats: number; only?: string[]; write?: true }>();

const sizes = options.quick ? [10, 100] : options.sizes;
const only = options.quick ? ["floor", "pulumi-lvs", "ipvsadm -R"] : options.only;
const able = contenders().filter(({ name }) => !only || only.includes(name));
const absent = able.flatMap(({ name, missing }) => (missing === undefined ? [] : [`${name}: ${missing}`]));
const present = able.filter(({ missing }) => missing === undefined);

/** All contenders turn by turn, so that a machine that slows down slows all. The first turn warms up. */
async function turns(count: number): Promise<Row[]> {
  const rows = present.map(({ name }) => ({ contender: name, count, repeats: [] as Seconds[] }));
  let repeats = options.quick ? 1 : options.repeats;
  for (let turn = options.quick ? 1 : 0; turn <= repeats; turn++)
    for (const [i, contender] of present.entries()) {
      const begun = performance.now();
      const measured = await contender.measure(count);
      const whole = (performance.now() - begun) / 1000;
      if (whole > 60) repeats = Math.min(repeats, 3);
      if (turn > 0) rows[i]?.repeats.push(measured);
      console.error(`${count} servers, turn ${turn}: ${contender.name} ${whole.toFixed(1)} s`);
    }
  return rows;
}

await up((line) => console.error(line));
const rows: Row[] = [];
for (const count of sizes) rows.push(...(await turns(count)));

const { stdout: kernel } = await run("director", "uname -r; ipvsadm --version | head -n 1");
const lines = [
  "# Performance",
  "",
  "`npm run bench -- --write` writes this page. Each figure is a median, with the least and the most in brackets. Ratios compare runs of the same turn with",
  "the engine's floor: as many dynamic resources that do nothing.",
  "",
  `- Date: ${new Date().toISOString().slice(0, 10)}`,
  `- Machine: ${cpus().length} processors (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}`,
  `- Lab: ${choose().name}, ${kernel.trim().replaceAll("\n", ", ")}`,
  `- Pulumi ${findPulumi()?.version}, Node ${process.versions.node}`,
  ...absent.map((line) => `- Not measured: ${line}`),
  "",
  ...(options.write ? ["![Ratios to the engine's floor](performance.svg)", ""] : []),
  ...sizes.flatMap((count) => [
    `## ${count} real servers, one resource each`,
    "",
    tableOf(rows.filter((row) => row.count === count)),
    "",
  ]),
  "## Growth",
  "",
  "Seconds grow with the number of servers to the power of:",
  "",
  ...present.map(({ name }) => {
    const own = rows.filter(({ contender }) => contender === name);
    const grown = operations.flatMap((operation) => {
      const exponent = exponentOf(own, operation);
      return exponent === undefined ? [] : [`${operation} ${exponent.toFixed(2)}`];
    });
    return `- ${name}: ${grown.join(", ") || "one size only"}`;
  }),
  "",
];
console.log(lines.join("\n"));
if (options.write) {
  const docs = join(import.meta.dirname, "../../docs");
  writeFileSync(join(docs, "performance.md"), lines.join("\n"));
  writeFileSync(join(docs, "performance.svg"), chartOf("pulumi-lvs", rows));
}
