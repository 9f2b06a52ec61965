// npm run bench:hosts: what an update of many hosts costs beside the engine alone, and how much memory the provider
// needs. The hosts are fake ones behind real SSH servers on this machine, so they share its processors with Pulumi.
// LVS_HOSTS=50,100,200 and LVS_CLUSTERS=4,50,200 are the numbers of hosts, LVS_REPEATS=1 is that of repeats.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, test } from "vitest";
import { Stack } from "../lab/stack.mjs";
import freshBuild from "../support/fake/fresh-build.js";
import { clientKeyIn, SshHost } from "../support/fake/ssh-host.js";
import { conditionsOf, keep } from "./data.mjs";
import type { Figures, Row } from "./figures.mjs";
import { tablesOf } from "./page.mjs";

const numbers = (name: string, usual: string): number[] =>
  (process.env[name] ?? usual).split(",").filter(Boolean).map(Number);

const repeats = Number(process.env.LVS_REPEATS ?? 1);
const sizes = numbers("LVS_HOSTS", "50,100,200");
const clusters = numbers("LVS_CLUSTERS", "4,50,200");

let place = "";
let key: ReturnType<typeof clientKeyIn>;
let hosts: SshHost[] = [];

beforeAll(async () => {
  freshBuild();
  place = mkdtempSync(join(tmpdir(), "lvs-bench-"));
  key = clientKeyIn(place);
});

afterAll(async () => {
  for (const host of hosts) await host.dispose();
  rmSync(place, { recursive: true, force: true });
});

/** Fresh hosts, so many. */
async function machines(count: number): Promise<unknown[]> {
  for (const host of hosts) await host.dispose();
  hosts = [];
  for (let i = 0; i < count; i++) hosts.push(await SshHost.start(key.key));
  return hosts.map((host) => host.connection(key.path));
}

const settings = (connections: readonly unknown[]): string => `
for (const [i, connection] of ${JSON.stringify(connections)}.entries())
  new lvs.Sysctl("rate" + i, { connection, name: "net.ipv4.icmp_ratelimit", value: "100" });`;

const cluster = ([director, ...servers]: readonly unknown[]): string => `
const servers = ${JSON.stringify(servers)};
new lvs.DrCluster("farm", {
  director: { connection: ${JSON.stringify(director)}, interface: "eth0" },
  vips: ["192.168.0.210"],
  services: [{ port: 80 }],
  realServers: servers.map((connection, i) => ({ name: "web" + i, address: "192.168.1." + (i + 1), connection })),
});`;

const nothing = (count: number): string => `
const provider = { async create(inputs) { return { id: inputs.name, outs: inputs }; } };
for (let i = 1; i <= ${count}; i++) new pulumi.dynamic.Resource(provider, "rs" + i, { name: "rs" + i, value: 100 });`;

/** Runs a program once. Returns seconds, the provider's memory, and the number of resources. */
async function once(source: string): Promise<{ figures: Figures; resources: number }> {
  const memory = join(place, "memory");
  const stack = await Stack.ofProgram(source, {
    SSH_AUTH_SOCK: "",
    LVS_MEMORY: memory,
    LVS_SSH_CONFIG: "/dev/null",
  });
  stack.environment({
    NODE_OPTIONS: `${stack.env.NODE_OPTIONS} --require "${join(__dirname, "memory.cjs")}"`,
  });
  const figures: Record<string, number> = {};
  const timed = async (name: string, work: () => Promise<unknown>) => {
    const begun = performance.now();
    await work();
    figures[name] = (performance.now() - begun) / 1000;
  };
  try {
    await timed("up, s", () => stack.up());
    figures["memory of the provider, MB"] = Number(readFileSync(memory, "utf8"));
    const resources = (await stack.resources()).filter(({ id }) => id !== undefined).length - 1;
    await timed("refresh, s", () => stack.refresh());
    await timed("destroy, s", () => stack.destroy());
    return { figures, resources };
  } finally {
    await stack.dispose();
  }
}

async function compare(shape: string, count: number, source: (connections: readonly unknown[]) => string) {
  const floor: Figures[] = [];
  const ours: Figures[] = [];
  let resources = 0;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const connections = await machines(count);
    // One host alone is what the slowest takes, because all are alike.
    const [single, least] = [await once(settings(connections.slice(0, 1))), await once(nothing(1))];
    const all = await once(source(connections));
    const engine = await once(nothing(all.resources));
    resources = all.resources;
    const alone = Math.max(0, (single.figures["up, s"] ?? 0) - (least.figures["up, s"] ?? 0));
    const ratio = (all.figures["up, s"] ?? 0) / ((engine.figures["up, s"] ?? 0) + alone);
    floor.push(engine.figures);
    ours.push({ ...all.figures, "one host alone, s": alone, "up / (floor + one host)": ratio });
  }
  const name = `${shape}, ${resources} resources`;
  const rows: Row[] = [
    { contender: "floor", shape: name, count, repeats: floor, floor },
    { contender: "pulumi-lvs", shape: name, count, repeats: ours, floor },
  ];
  console.log(tablesOf("hosts", rows));
  keep("hosts", {
    conditions: [
      ...conditionsOf("fake hosts behind SSH servers on the same machine"),
      "_one host alone_: an update of one host, above the floor of one resource",
    ],
    rows,
    absent: [],
  });
}

for (const count of sizes)
  test(`${count} hosts`, () => compare(`${count} hosts, a sysctl each`, count, settings));
for (const count of clusters)
  test(`a DR cluster of ${count} hosts`, () => compare(`DR cluster of ${count} hosts`, count, cluster));
