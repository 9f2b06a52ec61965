// How much longer than `pulumi preview` does `pulumi-lvs plan` take for 1,000 real servers? Both in one run, turn by turn, for
// servers that are new and for servers whose weight changes. `node test/bench/plan.mts [rounds [servers]]`

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Stack } from "../lab/stack.mts";
import { spread } from "./figures.mts";
import { measured, type Run } from "./processor.mts";

const rounds = Number(process.argv[2] ?? 3);
const servers = Number(process.argv[3] ?? 1000);

const cli = join(import.meta.dirname, "../../dist/cli/main.js");

const program = (weight: number): string => `
const connection = { host: "director1" };
const web = new lvs.VirtualService("web", { connection, address: "192.168.0.210", port: 80 });
for (let i = 0; i < ${servers}; i++)
  new lvs.RealServer("rs" + i, { connection, service: "tcp://192.168.0.210:80", address: "10.9." + (i >> 8) + "." + (i & 255), port: 80, weight: ${weight}, drain: {} });`;

async function showing(stack: Stack, command: string, has: RegExp): Promise<Run> {
  const run = await measured(stack, command);
  if (!has.test(run.text)) throw new Error(run.text);
  return run;
}

async function compare(title: string, stack: Stack, has: { preview: RegExp; plan: RegExp }): Promise<void> {
  const previews: Run[] = [];
  const plans: Run[] = [];
  const preview = () => showing(stack, "pulumi preview --non-interactive --color never", has.preview);
  const plan = () => showing(stack, `"${process.execPath}" "${cli}" plan`, has.plan);
  // The first ones compile what is loaded.
  await preview();
  await plan();
  for (let round = 0; round < rounds; round++) {
    previews.push(await preview());
    plans.push(await plan());
  }
  const of = (what: "seconds" | "processor") => {
    const [one, other] = [previews, plans].map((runs) => spread(runs.map((run) => run[what])).median) as [
      number,
      number,
    ];
    return `preview ${one.toFixed(1)} s, plan ${other.toFixed(1)} s: ${(other - one).toFixed(1)} s more, ratio ${(other / one).toFixed(2)}`;
  };
  console.log(`${title}: clock: ${of("seconds")}; processor: ${of("processor")}`);
}

/** Gives a stack the state that an update would leave: no host is needed. */
async function remember(stack: Stack): Promise<void> {
  const { text } = await stack.pulumiLvs(["plan", "--save", "plan.json", "--json"]);
  const { changes } = JSON.parse(text.slice(0, text.lastIndexOf("}") + 1)) as {
    changes: readonly { urn: string }[];
  };
  const saved = JSON.parse(readFileSync(`${stack.folder}/plan.json`, "utf8")) as {
    pulumi: {
      resourcePlans: Record<
        string,
        { goal: { type: string; parent?: string; provider?: string }; state: object }
      >;
    };
  };
  const { text: exported } = await stack.pulumi("stack", "export");
  const state = JSON.parse(exported.slice(0, exported.lastIndexOf("}") + 1));
  const plans = saved.pulumi.resourcePlans;
  const ours = new Set(changes.map(({ urn }) => urn));
  const provider = Object.keys(plans).find((urn) => urn.includes("pulumi:providers:")) as string;
  const id = "04da6b54-80e4-46f7-96ec-000000000001";
  const root = Object.keys(plans).find((urn) => urn.includes("pulumi:pulumi:Stack")) as string;
  const inputsOf = (urn: string) =>
    plans[urn]?.state as { service?: string; address?: string; port?: number };
  state.deployment.resources = [
    { urn: root, custom: false, type: "pulumi:pulumi:Stack" },
    { urn: provider, custom: true, id, type: "pulumi:providers:pulumi-nodejs" },
    ...Object.keys(plans)
      .filter((urn) => ours.has(urn))
      .map((urn) => {
        const inputs = inputsOf(urn);
        const name = inputs.service ? `${inputs.service}/${inputs.address}:80` : "tcp://192.168.0.210:80";
        return {
          ...{ urn, custom: true, id: `director1/${name}`, type: plans[urn]?.goal.type, parent: root },
          ...{ inputs, outputs: inputs, provider: `${provider}::${id}` },
        };
      }),
  ];
  writeFileSync(`${stack.folder}/state.json`, JSON.stringify(state));
  const imported = await stack.pulumi("stack", "import", "--file", "state.json");
  if (imported.code !== 0) throw new Error(imported.text);
}

const stack = await Stack.ofProgram(program(1));
try {
  await compare(`${servers} new servers`, stack, {
    preview: new RegExp(`${servers + 2} to create`),
    plan: new RegExp(`^director1: ${servers + 1} lines`),
  });
  await remember(stack);
  await stack.program(program(3));
  await compare(`${servers} changed servers`, stack, {
    preview: new RegExp(`${servers} to update`),
    plan: new RegExp(`^director1: ${servers} lines`),
  });
} finally {
  await stack.dispose();
}
