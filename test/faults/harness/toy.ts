import type { ChildProcess } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Stack } from "../../lab/stack.mts";
import { dynamicClass } from "./dynamic-class.js";
import type { Goal } from "./program.js";
import {
  type Answer,
  begin,
  type Call,
  killed,
  lookAgain,
  nextRound,
  nothing,
  type Pure,
  type State,
  withAnswers,
} from "./pulumi.js";

/** One command of Pulumi's, what goes wrong in it (by `VERB NAME`), and the signal that it gets during one call. */
export interface Act {
  readonly verb: "up" | "refresh" | "destroy";
  readonly goals?: readonly Goal[];
  readonly faults?: Readonly<Record<string, "throw" | "half" | "wait">>;
  readonly signal?: NodeJS.Signals;
}

/** What a command left behind. */
interface Left {
  readonly state: State;
  readonly calls: readonly string[];
}

export const goal = (name: string, value: string, dependencies: string[] = [], key = "k"): Goal => ({
  name,
  kind: "Toy",
  inputs: { name, key, value },
  dependencies,
});

// a provider that knows nothing, and fails where it is told to
const program = `
const pulumi = require("@pulumi/pulumi");
const fs = require("node:fs");
${dynamicClass("Toy", "require(process.env.TOY + '/provider.js')", "pulumi-nodejs:dynamic/test:Toy")}
const made = {};
for (const { name, inputs, dependencies } of JSON.parse(fs.readFileSync(process.env.TOY + "/goals", "utf8")))
  made[name] = new Toy(name, inputs, { dependsOn: dependencies.map((one) => made[one]) });
`;

const provider = `
const fs = require("node:fs"), place = process.env.TOY + "/";
const act = async (verb, name, done, half) => {
  fs.appendFileSync(place + "calls", verb + " " + name + "\\n");
  const fault = JSON.parse(fs.readFileSync(place + "faults", "utf8"))[verb + " " + name];
  if (fault === "throw") throw new Error("told to fail");
  if (fault === "half") throw Object.assign(new Error("half done"), { reasons: ["half done"], ...half });
  if (fault === "wait") {
    fs.writeFileSync(place + "reached", "");
    for (let i = 0; i < 600 && !fs.existsSync(place + "go"); i++) await new Promise((r) => setTimeout(r, 20));
  }
  return done;
};
const half = (inputs) => ({ id: inputs.name + "-" + inputs.key, properties: { ...inputs, value: "half" } });
module.exports = {
  check: async (olds, news) => ({ inputs: news, failures: [] }),
  diff: async (id, olds, news) =>
    olds.key !== news.key ? { replaces: ["key"] } : olds.value === news.value ? { changes: false } : { replaces: [] },
  create: (inputs) => act("create", inputs.name, { id: inputs.name + "-" + inputs.key, outs: inputs }, half(inputs)),
  update: (id, olds, news) => act("update", news.name, { outs: news }, half(news)),
  read: (id, props) => act("read", props.name, { id, props, inputs: props }),
  delete: (id, props) => act("delete", props.name),
};
`;

/** Commands of the real CLI, each after the other. */
export async function real(acts: readonly Act[]): Promise<Left[]> {
  const stack = await Stack.ofProgram("");
  writeFileSync(join(stack.folder, "index.js"), program);
  writeFileSync(join(stack.folder, "provider.js"), provider);
  const place = (name: string) => join(stack.folder, name);
  stack.environment({ TOY: stack.folder });
  try {
    const left: Left[] = [];
    for (const { verb, goals = [], faults = {}, signal } of acts) {
      writeFileSync(place("goals"), JSON.stringify(goals));
      writeFileSync(place("faults"), JSON.stringify(faults));
      writeFileSync(place("calls"), "");
      const flags = ["--skip-preview", ...(verb === "refresh" ? ["--clear-pending-creates"] : [])];
      let cli: ChildProcess | undefined;
      let printed = "";
      const args = [verb, "--yes", "--stack", "program", "--non-interactive", "--color", "never", ...flags];
      const answer = stack.run("pulumi", args, (child) => {
        cli = child;
        for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text) => (printed += text));
      });
      if (signal) {
        await until(() => existsSync(place("reached")));
        cli?.kill(signal);
        // what is killed never sees its call come back; what is interrupted waits for it
        if (signal === "SIGKILL") await answer;
        else await until(() => /cancel/i.test(printed));
        appendFileSync(place("go"), "");
      }
      const { code, text } = await answer;
      if ((code === 0) !== (!signal && Object.keys(faults).length === 0)) throw new Error(text);
      if (signal === "SIGKILL") await stack.pulumi("cancel", "--yes");
      left.push({ state: stateOf(stack), calls: linesOf(place("calls")) });
      for (const name of ["reached", "go"]) await stack.run("rm", ["-f", place(name)]);
    }
    return left;
  } finally {
    await stack.dispose();
  }
}

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`it did not come to pass within 60 s: ${holds}`);
    await later(10);
  }
}

const linesOf = (file: string): string[] => readFileSync(file, "utf8").split("\n").filter(Boolean).sort();

interface Checkpoint {
  latest: {
    resources?: {
      urn: string;
      id: string;
      inputs: Record<string, unknown>;
      outputs: Record<string, unknown>;
      dependencies?: string[];
      initErrors?: string[];
      delete?: boolean;
    }[];
    pending_operations?: { type: string; resource: { urn: string } }[];
  };
}

/** What `pulumi stack export` would print, from the file backend; a process start less. */
function stateOf(stack: Stack): State {
  const backend = (stack.env.PULUMI_BACKEND_URL as string).replace("file://", "");
  const file = join(backend, ".pulumi/stacks/test/program.json");
  const { latest } = (JSON.parse(readFileSync(file, "utf8")) as { checkpoint: Checkpoint }).checkpoint;
  const nameOf = (urn: string) => urn.split("::").at(-1) as string;
  const bare = ({ __provider: _, ...rest }: Record<string, unknown>) => rest;
  return {
    resources: (latest.resources ?? [])
      .filter(({ urn }) => urn.includes(":Toy::"))
      .map((one) => ({
        name: nameOf(one.urn),
        kind: "Toy",
        id: one.id,
        inputs: bare(one.inputs),
        outputs: bare(one.outputs),
        dependencies: (one.dependencies ?? []).map(nameOf),
        ...(one.initErrors?.length ? { initErrors: true as const } : {}),
        ...(one.delete ? { delete: true as const } : {}),
      })),
    pending: (latest.pending_operations ?? []).map(
      ({ type, resource }) => `${type} Toy ${nameOf(resource.urn)}`,
    ),
  };
}

const pure: Pure = {
  check: (_, inputs) => inputs,
  diff: (_, { outputs: olds }, news) =>
    olds.key !== news.key
      ? { replaces: ["key"] }
      : olds.value === news.value
        ? { changes: false }
        : { replaces: [] },
};

/** The same by the model. */
export function modelled(acts: readonly Act[]): Left[] {
  let state = nothing;
  return acts.map(({ verb, goals = [], faults = {}, signal }) => {
    const calls: string[] = [];
    const answer = (call: Call): Answer => {
      const bag = "inputs" in call ? call.inputs : call.old.outputs;
      const id = `${bag.name}-${bag.key}`;
      const fault = faults[`${call.verb} ${call.name}`];
      if (fault === "throw") return { error: new Error("told to fail") };
      if (fault === "half") return { error: { id, properties: { ...bag, value: "half" } } };
      return { ok: call.verb === "read" ? { id, props: bag, inputs: bag } : { id, outs: bag } };
    };
    let next =
      verb === "refresh" ? lookAgain(state) : nextRound(begin(state, verb === "up" ? goals : []), pure);
    while (next.calls.length > 0) {
      calls.push(...next.calls.map((call) => `${call.verb} ${call.name}`));
      const isStruck = next.calls.some((call) => faults[`${call.verb} ${call.name}`] === "wait");
      if (isStruck && signal === "SIGKILL") {
        next = { progress: { ...next.progress, state: killed(next.progress, next.calls) }, calls: [] };
        break;
      }
      const after = withAnswers(next.progress, next.calls, next.calls.map(answer));
      next = verb === "refresh" || isStruck ? { progress: after, calls: [] } : nextRound(after, pure);
    }
    state = next.progress.state;
    return { state, calls: calls.sort() };
  });
}
