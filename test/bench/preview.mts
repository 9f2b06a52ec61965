// How much slower than a stack of as many resources that do nothing is `pulumi preview` of clusters, and does it reach a host?
// Both in one run, turn by turn: seconds of the clock, and of the processor. `node test/bench/preview.mts [rounds [program]]`

import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Stack } from "../lab/stack.mts";
import { spread } from "./figures.mts";
import { measured, type Run } from "./processor.mts";

const rounds = Number(process.argv[2] ?? 5);
const only = process.argv[3] ?? "";
const require = createRequire(import.meta.url);
const { load } = createRequire(require.resolve("@pulumi/pulumi"))("js-yaml") as {
  load(text: string): { config: Record<string, unknown> };
};
const folder = join(import.meta.dirname, "environments");

const clustersOf = (file: string): string => {
  const clusters = load(readFileSync(join(folder, file), "utf8")).config["lvs:clusters"] as object;
  // The plugin of @pulumi/command is no part of a checkout.
  for (const cluster of Object.values(clusters)) delete cluster.packages;
  return `for (const [name, { kind, ...args }] of Object.entries(${JSON.stringify(clusters)}))
  kind === "dr" ? new lvs.DrCluster(name, args) : new lvs.NatCluster(name, args);`;
};

const loop = `
const names = Array.from({ length: 50 }, (_, i) => "web" + i);
new lvs.DrCluster("farm", {
  director: { connection: { host: "lb1" }, interface: "eth0" },
  vips: ["203.0.113.10"],
  services: [{ port: 80 }, { port: 443 }],
  realServers: names.map((name, i) => ({ name, address: "10.9.0." + (i + 1), connection: { host: name } })),
});`;

const nothing = (count: number): string => `
const provider = { async create(inputs) { return { id: inputs.name, outs: inputs }; } };
for (let i = 1; i <= ${count}; i++)
  new pulumi.dynamic.Resource(provider, "rs" + i, { name: "rs" + i, address: "192.168.10." + i, port: 80 });`;

/** Previews a stack, and returns how many resources it has. */
async function preview(stack: Stack): Promise<Run & { count: number }> {
  const run = await measured(stack, "pulumi preview --non-interactive --color never");
  const count = Number(/\+ (\d+) to create/.exec(run.text)?.[1]);
  if (!count) throw new Error(run.text);
  return { ...run, count };
}

const programs = Object.fromEntries(readdirSync(folder).map((file) => [file, clustersOf(file)]));
for (const [name, source] of Object.entries({ ...programs, "50 servers in a loop": loop })) {
  if (!name.includes(only)) continue;
  const ours = await Stack.ofProgram(source);
  const sockets = join(ours.folder, "sockets");
  // The SDK as it is, which loads the compiler for every program.
  const options = `--require "${join(import.meta.dirname, "sockets.cjs")}"`;
  const env = { LVS_SOCKETS: sockets, NODE_OPTIONS: options, LVS_PLAIN_JAVASCRIPT: "" };
  ours.environment(env);
  // The first one compiles what is loaded.
  const { count } = await preview(ours);
  const floor = await Stack.ofProgram(nothing(count - 1), env);
  try {
    await preview(floor);
    const [times, base]: [Run[], Run[]] = [[], []];
    for (let round = 1; round <= rounds; round++) {
      base.push(await preview(floor));
      times.push(await preview(ours));
    }
    const of = (runs: Run[], what: "seconds" | "processor") => spread(runs.map((one) => one[what])).median;
    const ratio = (what: "seconds" | "processor") =>
      `${of(times, what).toFixed(2)} s against ${of(base, what).toFixed(2)} s, ratio ${(of(times, what) / of(base, what)).toFixed(2)}`;
    const reached = readFileSync(sockets, { encoding: "utf8", flag: "a+" }).split("\n").filter(Boolean);
    console.log(`${name}: ${count} resources; clock ${ratio("seconds")}; processor ${ratio("processor")}`);
    if (reached.length > 0) throw new Error(`the preview connects to ${[...new Set(reached)].join(", ")}`);
  } finally {
    await ours.dispose();
    await floor.dispose();
  }
}
