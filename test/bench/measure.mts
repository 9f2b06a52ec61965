import { execFile } from "node:child_process";
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { Stack } from "../lab/stack.mts";
import { run, sshConfigPath } from "../support/machines/lab.mts";
import { commands, floor, ours, playbook, rules, type Weights } from "./contenders.mts";

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

/** Seconds of each operation. An absent one cannot be done this way. */
export type Seconds = Partial<Record<Operation, number>>;

/** A way to make a table. */
export interface Contender {
  readonly name: string;
  /** Why it cannot run here; undefined if it can. */
  readonly missing?: string;
  /** Does every operation once, on a director without a table, and leaves none. */
  measure(count: number): Promise<Seconds>;
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
async function expectTable(count: number, { all: weight }: Weights): Promise<void> {
  const { stdout } = await run("director", "ipvsadm -Sn");
  const lines = stdout.split("\n").filter((line) => line.startsWith("-a ") && line.includes(`-w ${weight}`));
  // The first server may have another weight.
  if (lines.length < count - 1)
    throw new Error(`the director has ${lines.length} servers of weight ${weight} instead of ${count}`);
}

/** A program of Pulumi. `real` is false where the director gets nothing. */
const program = (
  name: string,
  source: (count: number, weights: Weights) => string,
  real: boolean,
  missing?: string,
): Contender => ({
  name,
  ...(missing === undefined ? {} : { missing }),
  async measure(count) {
    const stack = await Stack.ofProgram(source(count, before));
    const check = async (weights: Weights) => {
      if (real) await expectTable(count, weights);
    };
    const measured: Seconds = {};
    try {
      measured.up = await seconds(() => stack.up());
      await check(before);
      measured["no-change up"] = await seconds(() => stack.up());
      measured.preview = await seconds(() => stack.preview());
      await stack.program(source(count, one));
      measured["one weight"] = await seconds(() => stack.up());
      await check(one);
      await stack.program(source(count, all));
      measured["all weights"] = await seconds(() => stack.up());
      await check(all);
      measured.refresh = await seconds(() => stack.refresh("--skip-preview"));
      measured.destroy = await seconds(() => stack.destroy());
      return measured;
    } finally {
      await stack.dispose();
    }
  },
});

const clear = "ipvsadm -D -t 192.168.0.210:80";

/** `ipvsadm -R` on an open connection. */
const raw: Contender = {
  name: "ipvsadm -R",
  async measure(count) {
    await run("director", "true");
    const load = (weights: Weights) => `ipvsadm -R <<'RULES'\n${rules(count, weights)}\nRULES`;
    const up = await seconds(() => run("director", load(before)));
    await expectTable(count, before);
    const again = await seconds(() => run("director", `${clear}; ${load(all)}`));
    const refresh = await seconds(() => run("director", "ipvsadm -Sn"));
    const destroy = await seconds(() => run("director", clear));
    return { up, "all weights": again, refresh, destroy };
  },
};

const onPath = (name: string): boolean =>
  (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));

const ansible = (way: "loop" | "template"): Contender => ({
  name: `Ansible, ${way}`,
  ...(onPath("ansible-playbook") ? {} : { missing: "ansible-playbook is not on PATH" }),
  async measure(count) {
    const place = mkdtempSync(join(tmpdir(), "lvs-bench-"));
    const file = join(place, "playbook.json");
    const env = {
      ...process.env,
      ANSIBLE_SSH_ARGS: `-F ${sshConfigPath()}`,
      ANSIBLE_HOST_KEY_CHECKING: "True",
    };
    const play = async (weights: Weights) => {
      writeFileSync(file, playbook(count, weights, way));
      await promisify(execFile)("ansible-playbook", ["-i", "director,", file], { env });
    };
    try {
      const up = await seconds(() => play(before));
      await expectTable(count, before);
      await run("director", clear);
      return { up };
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  },
});

const hasCommandPlugin = (): boolean => {
  const home = process.env.PULUMI_HOME ?? join(process.env.HOME ?? "", ".pulumi");
  return (
    onPath("pulumi-resource-command") || globSync("plugins/resource-command-*/", { cwd: home }).length > 0
  );
};

/** All contenders; the engine's floor first, to which the others are compared. */
export const contenders = (): Contender[] => [
  program("floor", floor, false),
  program("pulumi-lvs", ours, true),
  program(
    "remote.Command",
    (count, weights) => commands(count, weights, sshConfigPath()),
    true,
    hasCommandPlugin() ? undefined : "the plugin of @pulumi/command is not installed",
  ),
  ansible("loop"),
  ansible("template"),
  raw,
];
