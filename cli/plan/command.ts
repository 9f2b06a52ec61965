import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { automation } from "@pulumi/pulumi";
import { exitCodes } from "../exit-codes.js";
import { stackAt } from "../project.js";
import { HostNotRead } from "./live-hosts.js";
import { livePlanOf, type PlannedChange, planOf } from "./plan.js";
import { type Preview, previewOf } from "./preview.js";
import { reaching } from "./reaching.js";
import { differencesOf, PlanRefused, savedPlan, savePlan } from "./saved.js";
import { asJson, asMarkdown, asText } from "./text.js";

/** Options of `pulumi-lvs plan`. */
export interface PlanOptions {
  readonly stack?: string;
  readonly cwd?: string;
  readonly configFile?: string;
  readonly format: "text" | "json" | "markdown";
  /** Reads the hosts. */
  readonly live?: boolean;
  /** The file for `up --plan`. */
  readonly save?: string;
}

const formats = { text: asText, json: asJson, markdown: asMarkdown } as const;

/** How a plan is printed. */
interface Output {
  readonly print: (text: string) => Promise<void>;
  readonly log: (line: string) => void;
}

/** Prints the plan of a stack, and saves it. Returns the exit code. */
export async function plan(options: PlanOptions, { print, log }: Output): Promise<number> {
  const { stack: name, cwd = ".", configFile, format, live = false, save } = options;
  const stack = await stackAt(cwd, name);
  const from = { configFile: configFile && resolve(cwd, configFile) };
  return inFolder(async (folder) => {
    const file = join(folder, "plan.json");
    const preview = await previewOf(stack, { ...from, savePlan: save && file });
    let changes: readonly PlannedChange[];
    try {
      changes = await changesOf(stack, preview, live);
    } catch (error) {
      if (!(error instanceof HostNotRead)) throw error;
      log(error.message);
      return exitCodes["host not read"];
    }
    await print(formats[format](changes));
    const isRefused = changes.some(({ refused }) => refused !== undefined);
    if (save && isRefused) log("the plan is not saved, because up would refuse a change of it");
    else if (save) {
      const pulumi: unknown = JSON.parse(readFileSync(file, "utf8"));
      savePlan(resolve(cwd, save), { stack: stack.name, live, changes, pulumi });
      log(`saved; pulumi-lvs up --plan ${save} runs it, and refuses anything else`);
    }
    return isRefused ? exitCodes["a change refused"] : 0;
  });
}

async function changesOf(stack: automation.Stack, preview: Preview, live: boolean) {
  if (!live) return planOf(preview);
  const { find, close } = await reaching(stack, preview);
  return livePlanOf(preview, find).finally(close);
}

/**
 * Runs an update with Pulumi's plan from a file of `plan --save`, or with a file that is Pulumi's plan alone.
 *
 * @throws PlanRefused if the update now, or a host that was read, differs from the plan.
 */
export async function withSavedPlan<T>(
  stack: automation.Stack,
  file: string,
  configFile: string | undefined,
  update: (pulumiPlan: string) => Promise<T>,
): Promise<T> {
  const saved = savedPlan(file, stack.name);
  if (!saved) return update(file);
  const preview = await previewOf(stack, { configFile });
  const unlike = differencesOf(saved.changes, await changesOf(stack, preview, saved.live));
  if (unlike.length > 0)
    throw new PlanRefused(
      [
        "cannot run the plan: the update differs from it, and nothing was changed; plan and review it again:",
        ...unlike.map((one) => `  ${one}`),
      ].join("\n"),
    );
  return inFolder((folder) => {
    const pulumiPlan = join(folder, "plan.json");
    writeFileSync(pulumiPlan, JSON.stringify(saved.pulumi), { mode: 0o600 });
    return update(pulumiPlan);
  });
}

/** Runs with a folder that others cannot read. */
async function inFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-lvs-"));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
