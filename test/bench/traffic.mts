// npm run bench:traffic: what requests through a director notice while all weights of a large table of other services
// change, and how long the host's lock is held. LVS_ENTRIES=5000 is the number of entries, LVS_PARALLEL=64 how many
// changes go on at a time, as `pulumi up --parallel 64` has it.
import { createRequire } from "node:module";
import { type Load, underLoad } from "../lab/load.mts";
import { Stack } from "../lab/stack.mts";
import { choose } from "../support/machines/choose.mts";
import { reset, run, sshConfigPath, up } from "../support/machines/lab.mts";
import { conditionsOf, keep } from "./data.mts";
import type { Figures, Row } from "./figures.mts";
import { heldIn } from "./held.mts";
import { tablesOf } from "./page.mts";

type Bag = Record<string, unknown>;
interface Engine {
  check(olds: Bag, news: Bag): { inputs: Bag; failures: readonly unknown[] };
  create(inputs: Bag): Promise<{ id: string; outs: Bag }>;
  update(id: string, olds: Bag, news: Bag): Promise<{ outs: Bag }>;
}

const require = createRequire(import.meta.url);
process.env.LVS_SSH_CONFIG = sshConfigPath();
process.env.LVS_LOG = "trace";
const { engines } = require("../../dist/providers/provider.js") as { engines: ReadonlyMap<string, Engine> };

const entries = Number(process.env.LVS_ENTRIES ?? 5000);
const parallel = Number(process.env.LVS_PARALLEL ?? 64);
const servers = 5;
const vip = "192.168.0.219";

/** Milliseconds for which scripts held the lock, from their lines in the log: all parts after they got it. */
let held: number[] = [];
console.error = (line: string) => {
  const milliseconds = heldIn(line);
  if (milliseconds !== undefined) held.push(milliseconds);
};

const print = (line: string) => process.stderr.write(`${line}\n`);

/** Does that much work, so many at a time, as the engine does. */
async function each<T>(work: readonly T[], does: (one: T, i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < work.length) {
      const i = next++;
      await does(work[i] as T, i);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

const inputsOf = (kind: string, args: Bag): Bag => {
  const common = { connection: { host: "director" }, owner: `bench/${JSON.stringify(args)}` };
  const { inputs, failures } = (engines.get(kind) as Engine).check({}, { ...common, ...args });
  if (failures.length > 0) throw new Error(JSON.stringify(failures));
  return inputs;
};

const services = Array.from({ length: entries / servers }, (_, s) => ({
  address: `10.8.${s >> 8}.${s & 255}`,
  port: 80,
}));
const members = services.flatMap(({ address }, s) =>
  Array.from({ length: servers }, (_, n) => ({
    ...{ service: `tcp://${address}:80`, address: `10.9.${s >> 8}.${s & 255}`, port: 8000 + n },
    forwarding: "masquerading",
  })),
);

const service = engines.get("VirtualService") as Engine;
const server = engines.get("RealServer") as Engine;
const made: Bag[] = [];

async function build(): Promise<void> {
  await each(services, async (one) => void (await service.create(inputsOf("VirtualService", one))));
  await each(members, async (one, i) => {
    made[i] = (await server.create(inputsOf("RealServer", { ...one, weight: 1 }))).outs;
  });
}

const changeAll = (weight: number) =>
  each(members, async (one, i) => {
    const olds = made[i] as Bag;
    const { inputs } = server.check(olds, { ...olds, ...one, weight });
    made[i] = (await server.update("", olds, inputs)).outs;
  });

const milliseconds = (seconds: number) => seconds * 1000;

function figuresOf(load: Load, seconds: number): Figures {
  const { median = 0, p99 = 0, most = 0 } = load.latency ?? {};
  return {
    seconds: seconds,
    "requests / s": load.requests / seconds,
    "p50, ms": milliseconds(median),
    "p99, ms": milliseconds(p99),
    "longest, ms": milliseconds(most),
    failed: load.failures.length,
  };
}

async function measured(work: () => Promise<void>): Promise<Figures> {
  held = [];
  let seconds = 0;
  const load = await underLoad(vip, async () => {
    const begun = performance.now();
    await work();
    seconds = (performance.now() - begun) / 1000;
  });
  for (const failure of load.failures) print(failure);
  const locked = held.reduce((sum, one) => sum + one, 0);
  const lock = held.length > 0 && {
    scripts: held.length,
    "lock held, s": locked / 1000,
    "lock held longest, ms": Math.max(...held),
  };
  return { ...figuresOf(load, seconds), ...lock };
}

await up(print);
await reset();
const stack = await Stack.ofEnvironment("lab-nat");
try {
  await stack.up();
  const idle = await measured(() => new Promise((resolve) => setTimeout(resolve, 20_000)));
  print("building the table");
  await build();
  const { stdout } = await run("director", "ipvsadm -Sn | grep -c '^-a'");
  if (Number(stdout) < entries) throw new Error(`the director has ${stdout.trim()} entries`);
  const full = await measured(() => new Promise((resolve) => setTimeout(resolve, 20_000)));
  print("changing all weights");
  const changed = await measured(() => changeAll(3));
  const { stdout: changes } = await run("director", "ipvsadm -Sn | grep -c -- '-w 3$'");
  if (Number(changes) !== entries) throw new Error(`${changes.trim()} of ${entries} weights have changed`);
  const shape = `${entries} entries`;
  const rows: Row[] = Object.entries({
    "no other entries": idle,
    "no change": full,
    [`all weights change, ${parallel} at a time`]: changed,
  }).map(([contender, figures]) => ({ contender, shape, count: entries, repeats: [figures], floor: [idle] }));
  process.stdout.write(`${tablesOf("traffic", rows)}\n`);
  const { stdout: kernel } = await run("director", "uname -r");
  keep("traffic", { conditions: conditionsOf(`${choose().name}, Linux ${kernel.trim()}`), rows, absent: [] });
} finally {
  await stack.dispose();
  await reset();
}
