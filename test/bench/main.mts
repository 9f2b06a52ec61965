// npm run bench: what it costs to make tables of real servers, beside other ways, side by side in one run on the lab.
import { Command } from "commander";
import { choose } from "../support/machines/choose.mts";
import { run, up } from "../support/machines/lab.mts";
import type { Shape } from "./contenders.mts";
import { conditionsOf, keep, measuredParts } from "./data.mts";
import type { Row } from "./figures.mts";
import {
  type Contender,
  floorOf,
  type Operation,
  operations,
  poolContenders,
  type Seconds,
  serverContenders,
} from "./measure.mts";
import { tablesOf, writePage } from "./page.mts";

const list = (text: string): string[] => text.split(",");

/** Shapes such as `1x1000`: services, and servers of each. */
const poolsOf = (text: string): Shape[] =>
  list(text).map((shape) => {
    const [services = 1, servers = 1] = shape.split("x").map(Number);
    return { services, servers };
  });

const options = new Command("npm run bench --")
  .option("--quick", "10 and 100 servers, one repeat, the package and the floor only; keeps nothing")
  .option("--sizes <list>", "numbers of real servers: 10,100,500,1000", (text) => list(text).map(Number))
  .option("--pools <list>", "services x servers of each: 1x1000,200x20,1000x5", poolsOf)
  .option("--repeats <number>", "repeats of each; at most three for those over a minute", Number, 5)
  .option("--no-warm-up", "no turn before the repeats")
  .option("--operations <list>", "such as up,destroy", list, [...operations])
  .option("--only <names>", "contenders beside the floor, such as pulumi-lvs,remote.Command", list)
  .option("--write", "write docs/performance.md and its chart, of all that was kept so far")
  .addHelpText(
    "after",
    "\nWithout --sizes and --pools: all of them, and the page is written. --write alone only writes the page.",
  )
  .parse()
  .opts<{
    quick?: true;
    sizes?: number[];
    pools?: Shape[];
    repeats: number;
    warmUp: boolean;
    operations: Operation[];
    only?: string[];
    write?: true;
  }>();

const only = options.quick ? ["pulumi-lvs", "ipvsadm -R"] : options.only;
const wanted = (all: readonly Contender[]) => all.filter(({ name }) => !only || only.includes(name));

/** All contenders turn by turn, so that a machine that slows down slows all. The first turn warms up. */
async function turns(kind: "servers" | "pools", shape: Shape, name: string, count: number): Promise<void> {
  const all = wanted(kind === "servers" ? serverContenders() : poolContenders());
  const absent = all.flatMap(({ name, missing }) => (missing === undefined ? [] : [`${name}: ${missing}`]));
  const present = [floorOf(kind), ...all.filter(({ missing }) => missing === undefined)];
  const measured = present.map(() => [] as Seconds[]);
  let repeats = options.quick ? 1 : options.repeats;
  for (let turn = options.quick || !options.warmUp ? 1 : 0; turn <= repeats; turn++)
    for (const [i, contender] of present.entries()) {
      const begun = performance.now();
      const seconds = await contender.measure(shape, options.operations);
      const whole = (performance.now() - begun) / 1000;
      if (whole > 60) repeats = Math.min(repeats, 3);
      if (turn > 0) measured[i]?.push(seconds);
      console.error(`${name}, turn ${turn}: ${contender.name} ${whole.toFixed(1)} s`);
    }
  const [floor = []] = measured;
  const rows: Row[] = present.map(({ name: contender }, i) => ({
    ...{ contender, shape: name, count, repeats: measured[i] ?? [], floor },
  }));
  console.log(tablesOf(kind, rows));
  if (!options.quick) keep(kind, { conditions, rows, absent });
  for (const line of absent) console.error(`not measured: ${line}`);
}

const named = options.sizes !== undefined || options.pools !== undefined;
const whole = !named && !options.write && !options.quick;
const sizes = options.quick ? [10, 100] : (options.sizes ?? (whole ? [10, 100, 500, 1000] : []));
const pools = options.pools ?? (whole ? poolsOf("1x1000,200x20,1000x5") : []);

let conditions: string[] = [];
if (sizes.length + pools.length > 0) {
  await up((line) => console.error(line));
  const { stdout: kernel } = await run("director", "uname -r; ipvsadm --version | head -n 1");
  conditions = conditionsOf(`${choose().name}, ${kernel.trim().replaceAll("\n", ", ")}`);
}
for (const count of sizes)
  await turns("servers", { services: 1, servers: count }, `${count} real servers`, count);
for (const shape of pools)
  await turns("pools", shape, `${shape.services} × ${shape.servers}`, shape.services * shape.servers);
if (options.write || whole) writePage(measuredParts());
