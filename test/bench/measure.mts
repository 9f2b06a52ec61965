import { execFile } from "node:child_process";
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { Stack } from "../lab/stack.mts";
import { run, sshConfigPath } from "../support/machines/lab.mts";
import {
  commands,
  edits,
  floor,
  ours,
  playbook,
  poolFloor,
  pools,
  restoring,
  rules,
  type Shape,
  type Weights,
} from "./contenders.mts";
import { heldIn } from "./held.mts";

/** The operations, in the order in which they run. */
export const operations = [
  "up",
  "no-change up",
  "preview",
  "one weight",
  "all weights",
  "refresh",
  "destroy",
] as const;
export type Operation = (typeof operations)[number];

/** What the host does of the creation, without the connection. Measured with pools. */
export const work = "up, on the host";

/** Seconds of each operation. An absent one cannot be done this way, or was not asked for. */
export type Seconds = Partial<Record<Operation | typeof work, number>>;

/** A way to make a table. */
export interface Contender {
  readonly name: string;
  /** Why it cannot run here; undefined if it can. */
  readonly missing?: string;
  /** Does every operation that is asked for, on a director without a table, and leaves none. `up` is always done. */
  measure(shape: Shape, wanted: readonly Operation[]): Promise<Seconds>;
}

const before: Weights = { all: 1, first: 1 };
const one: Weights = { all: 1, first: 2 };
const all: Weights = { all: 3, first: 3 };

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

/** Checks the director's table by the tool itself. */
async function expectTable({ services, servers }: Shape, { all: weight }: Weights): Promise<void> {
  const { stdout } = await run("director", "ipvsadm -Sn");
  const lines = stdout.split("\n").filter((line) => line.startsWith("-a ") && line.includes(`-w ${weight}`));
  // The first server may have another weight.
  if (lines.length < services * servers - 1)
    throw new Error(
      `the director has ${lines.length} servers of weight ${weight} instead of ${services * servers}`,
    );
}

/** How a program runs: with this environment, or why it cannot. `cli` has `pulumi-lvs up` make each update. */
interface Way {
  readonly missing?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly cli?: boolean;
}

async function updateByCli(stack: Stack): Promise<string> {
  const { code, text } = await stack.pulumiLvs(["up", "--yes", "--skip-preview"]);
  if (code !== 0) throw new Error(text);
  return text;
}

/** A program of Pulumi. `real` is false where the director gets nothing. */
const program = (
  name: string,
  source: (shape: Shape, weights: Weights) => string,
  real: boolean,
  { missing, env = {}, cli = false }: Way = {},
): Contender => ({
  name,
  ...(missing === undefined ? {} : { missing }),
  async measure(shape, wanted) {
    const stack = await Stack.ofProgram(source(shape, before), env);
    const up = () => (cli ? updateByCli(stack) : stack.up());
    const measured: Seconds = {};
    const does = async (operation: Operation, work: () => Promise<unknown>) => {
      if (wanted.includes(operation)) measured[operation] = await seconds(work);
    };
    const change = async (operation: Operation, weights: Weights) => {
      if (!wanted.includes(operation)) return;
      await stack.program(source(shape, weights));
      await does(operation, up);
      if (real) await expectTable(shape, weights);
    };
    try {
      let text = "";
      measured.up = await seconds(async () => {
        text = await up();
      });
      const held = text.split("\n").flatMap((line) => heldIn(line) ?? []);
      if (held.length > 0) measured[work] = held.reduce((sum, one) => sum + one, 0) / 1000;
      if (real) await expectTable(shape, before);
      await does("no-change up", up);
      await does("preview", () => stack.preview());
      await change("one weight", one);
      await change("all weights", all);
      await does("refresh", () => stack.refresh());
      const destroy = await seconds(() => stack.destroy());
      return { ...measured, ...(wanted.includes("destroy") ? { destroy } : {}) };
    } finally {
      await stack.dispose();
    }
  },
});

/** `ipvsadm -R` on an open connection. */
const raw: Contender = {
  name: "ipvsadm -R",
  async measure(shape) {
    await run("director", "true");
    let stdout = "";
    const up = await seconds(async () => {
      ({ stdout } = await run("director", `date +%s%N\n${restoring(rules(shape, before))}\ndate +%s%N`));
    });
    const [begun = 0, ended = 0] = stdout.trim().split("\n").map(Number);
    await expectTable(shape, before);
    const weights = await seconds(() => run("director", restoring(edits(shape, all))));
    await expectTable(shape, all);
    const refresh = await seconds(() => run("director", "ipvsadm -Sn"));
    const destroy = await seconds(() => run("director", "ipvsadm -C"));
    return { up, [work]: (ended - begun) / 1e9, "all weights": weights, refresh, destroy };
  },
};

const findProgram = (name: string): string | undefined =>
  (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(existsSync);

const ansiblePlaybook = (): string | undefined =>
  process.env.ANSIBLE_PLAYBOOK ?? findProgram("ansible-playbook");

const noAnsible =
  "no ansible-playbook is on PATH or in ANSIBLE_PLAYBOOK (python3 -m venv DIR && DIR/bin/pip install ansible-core)";

const ansible = (way: "loop" | "template"): Contender => ({
  name: `Ansible ${way}`,
  ...(ansiblePlaybook() ? {} : { missing: noAnsible }),
  async measure(shape) {
    const place = mkdtempSync(join(tmpdir(), "lvs-bench-"));
    const file = join(place, "playbook.json");
    const env = {
      ...process.env,
      ANSIBLE_SSH_ARGS: `-F ${sshConfigPath()}`,
      ANSIBLE_HOST_KEY_CHECKING: "True",
      ANSIBLE_LOCAL_TEMP: place,
    };
    const play = async (lines: readonly string[]) => {
      writeFileSync(file, playbook(lines, way));
      await promisify(execFile)(ansiblePlaybook() as string, ["-i", "director,", file], {
        env,
        maxBuffer: 2 ** 28,
      });
    };
    try {
      const up = await seconds(() => play(rules(shape, before)));
      await expectTable(shape, before);
      const weights = await seconds(() => play(edits(shape, all)));
      await expectTable(shape, all);
      const destroy = await seconds(() => play(["-C"]));
      return { up, "all weights": weights, destroy };
    } finally {
      await run("director", "ipvsadm -C");
      rmSync(place, { recursive: true, force: true });
    }
  },
});

const hasCommandPlugin = (): boolean => {
  const home = process.env.PULUMI_HOME ?? join(process.env.HOME ?? "", ".pulumi");
  return (
    findProgram("pulumi-resource-command") !== undefined ||
    globSync("plugins/resource-command-*/", { cwd: home }).length > 0
  );
};

/** The engine's floor, to which the others are compared. */
export const floorOf = (kind: "servers" | "pools"): Contender =>
  kind === "servers" ? program("floor", floor, false) : program("floor", poolFloor, false);

/** Operations at a time, as `npx pulumi-lvs up` has them. */
const many = { PULUMI_PARALLEL: "64" };

/** Contenders that make a table of real servers. */
export const serverContenders = (): Contender[] => [
  program("pulumi-lvs", ours, true),
  program("pulumi-lvs --parallel 64", ours, true, { env: many }),
  program("npx pulumi-lvs up", ours, true, { env: many, cli: true }),
  program("remote.Command", (shape, weights) => commands(shape, weights, sshConfigPath()), true, {
    missing: hasCommandPlugin()
      ? undefined
      : "no pulumi-resource-command is on PATH (pulumi plugin install resource command, or build it with Go)",
  }),
  ansible("loop"),
  ansible("template"),
  raw,
];

/** Contenders that make services with their pools. The floor is a resource for each service. */
export const poolContenders = (): Contender[] => [
  program("pulumi-lvs pools", pools, true, { env: { LVS_LOG: "trace" } }),
  raw,
];
