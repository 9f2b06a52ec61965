// How much slower than the engine alone is `pulumi up` of 100 real servers on one director, one resource each?
// Both in one run, turn by turn: the same number of resources of a provider that does nothing.
// `node test/bench/hundred.mts [rounds] [flags of pulumi up]`, such as `3 --parallel 64`.

import { Stack } from "../lab/stack.mts";
import { reset, run, up } from "../support/machines/lab.mts";

const count = 100;
const rounds = Number(process.argv[2] ?? 3);
const flags = process.argv.slice(3);

const servers = `
const connection = { host: "director" };
const web = new lvs.VirtualService("web", { connection, address: "192.168.0.210", port: 80 });
for (let i = 1; i <= ${count}; i++)
  new lvs.RealServer("rs" + i, { connection, service: web.id, address: "192.168.10." + (20 + i), port: 80, forwarding: "masquerading" });
`;

const nothing = `
const provider = { async create(inputs) { return { id: inputs.name, outs: inputs }; } };
const first = new pulumi.dynamic.Resource(provider, "web", { name: "web" });
for (let i = 1; i <= ${count}; i++)
  new pulumi.dynamic.Resource(provider, "rs" + i, { name: "rs" + i, service: first.id, address: "192.168.10." + (20 + i), port: 80 });
`;

async function timed(stack: Stack): Promise<{ seconds: number; text: string }> {
  const begun = performance.now();
  const text = await stack.up(...flags);
  return { seconds: (performance.now() - begun) / 1000, text };
}

const median = (values: number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const times = { servers: [] as number[], nothing: [] as number[] };

await up();
for (let round = 1; round <= rounds; round++) {
  await reset(["director"]);
  const [floor, ours] = [await Stack.ofProgram(nothing), await Stack.ofProgram(servers)];
  try {
    ours.environment({ LVS_LOG: "debug" });
    const base = await timed(floor);
    const { seconds, text } = await timed(ours);
    times.nothing.push(base.seconds);
    times.servers.push(seconds);
    const table = (await run("director", "ipvsadm -Sn")).stdout.match(/^-a /gm)?.length ?? 0;
    if (table !== count) throw new Error(`the director has ${table} real servers instead of ${count}`);
    // the CLI shows a provider's lines twice
    const connections = new Set(text.match(/lvs: director: connection \d+/g)).size;
    const scripts = new Set(text.match(/lvs: director: script \d+/g)).size;
    console.log(
      `round ${round}: nothing ${base.seconds.toFixed(1)} s, ${count} real servers ${seconds.toFixed(1)} s; ${connections} SSH connection, ${scripts} scripts`,
    );
  } finally {
    await floor.dispose();
    await ours.dispose();
  }
}
const [base, ours] = [median(times.nothing), median(times.servers)];
console.log(
  `median: nothing ${base.toFixed(1)} s, ${count} real servers ${ours.toFixed(1)} s, ratio ${(ours / base).toFixed(2)}`,
);
