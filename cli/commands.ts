import { resolve } from "node:path";
import type { automation } from "@pulumi/pulumi";
import { type Deployment, titleOf } from "../rollback/deployment.js";
import { PulumiError } from "../rollback/pulumi-cli.js";
import { rollBack } from "../rollback/roll-back.js";
import { guarded, type UpdateResult } from "../rollback/up-or-roll-back.js";
import type { CommandLine } from "./command-line.js";
import { compiledCodeFolder } from "./compiled-code.js";
import { directorsOfUpdate } from "./down/before-up.js";
import { DirectorDown } from "./down/left-out.js";
import { exitCodes } from "./exit-codes.js";
import { listening } from "./listen.js";
import { PlanRefused } from "./plan/saved.js";
import { stackAt } from "./project.js";
import { outlive, run } from "./terminal.js";

/** Operations at a time. Those of one host that come together share a script, and the engine's own default is four for each processor. */
const parallel = "64";

const log = (line: string): void => console.error(`pulumi-lvs: ${line}`);

/** Pulumi ended with another code than 0, and has printed why. */
class UpdateFailed extends Error {
  constructor(readonly code: number) {
    super(`pulumi ended with ${code}`);
  }
}

/** Prints an error that nothing has printed yet. */
function logUnlessPrinted(error: unknown): never {
  if (!(error instanceof UpdateFailed)) log((error as Error).message);
  throw error;
}

type Command = Extract<CommandLine, { command: "up" | "rollback" }>;

async function up({ plan, ...command }: Command): Promise<number> {
  const stack = await stackAt(command.cwd, command.stack);
  if (plan === undefined) return update(stack, command);
  // Only a plan compiles lines.
  const [{ withSavedPlan }, { HostNotRead }] = await Promise.all([
    import("./plan/command.js"),
    import("./plan/live-hosts.js"),
  ]);
  try {
    return await withSavedPlan(stack, plan, command.configFile, (file) =>
      update(stack, { ...command, rest: ["--plan", file, ...command.rest] }),
    );
  } catch (error) {
    if (!(error instanceof PlanRefused || error instanceof HostNotRead)) throw error;
    log(error.message);
    return exitCodes[error instanceof PlanRefused ? "not the plan" : "host not read"];
  }
}

async function update(
  stack: automation.Stack,
  { configFile, verify, rest }: Omit<Command, "plan">,
): Promise<number> {
  type OnEvent = (event: automation.EngineEvent) => void;
  const pulumiUp = async (onEvent: OnEvent, flags: readonly string[]) => {
    const { args, env, close } = await listening(stack, onEvent);
    const { code, signal } = await run(
      stack.workspace.pulumiCommand.command,
      ["up", ...args, ...rest, ...flags],
      {
        env: { ...process.env, ...env },
      },
    ).finally(close);
    if (code !== 0) throw new UpdateFailed(code);
    if (signal) throw new Error(`cannot finish the update: ${signal} came during it`);
  };
  const upWithDirectors = async (
    onEvent: OnEvent,
    before: Deployment,
    beforeNextRun: () => Promise<void>,
  ) => {
    const { flags, hosts, afterwards } = await directorsOfUpdate(stack, before, { configFile, rest }, log);
    await pulumiUp(onEvent, flags);
    const more = await afterwards?.();
    if (more) {
      await beforeNextRun();
      // The person has agreed to the whole update.
      await pulumiUp(onEvent, [...more, "--yes"]);
    }
    for (const host of hosts)
      log(
        `${host} is left as it was, and serves as it was declared before when it comes back: run pulumi-lvs up again when it answers`,
      );
  };
  const holds = async (command: string) => {
    const { code } = await run(command, [], { shell: true });
    if (code !== 0) throw new Error(`\`${command}\` ended with ${code}`);
  };
  return report(
    await guarded(stack, {
      update: (...given) => upWithDirectors(...given).catch(logUnlessPrinted),
      onProgress: log,
      ...(configFile ? { configFile } : {}),
      ...(verify ? { verify: () => holds(verify) } : {}),
    }),
  );
}

async function rollback({ cwd, stack: name, configFile }: Command): Promise<number> {
  const stack = await stackAt(cwd, name);
  const outcome = await rollBack(stack, { onProgress: log, ...(configFile ? { configFile } : {}) });
  const code = report(outcome);
  // For this command a rollback is a success.
  return code === exitCodes["rolled back"] ? 0 : code;
}

/** Prints the result, and returns the exit code. */
function report(outcome: UpdateResult): number {
  if (outcome.result === "done") return 0;
  if (outcome.result === "nothing changed") {
    const { error } = outcome;
    if (error instanceof DirectorDown) return exitCodes["host not read"];
    log("nothing of this package was changed, so there is nothing to roll back");
    return error instanceof UpdateFailed || error instanceof PulumiError ? error.code : 1;
  }
  for (const { op, urn } of outcome.changes) log(`  ${op} ${titleOf(urn)}`);
  if (outcome.result === "rolled back")
    log("rolled back: hosts and state are as they were before the update");
  else {
    log("could not roll back:");
    for (const { resource, host, why } of outcome.notRestored)
      log(`  ${resource}${host ? ` on ${host}` : ""}: ${why}`);
    log("correct what is named there, then run: npx pulumi-lvs rollback");
  }
  return exitCodes[outcome.result];
}

/** Runs a command, and returns the exit code. */
export function runCommand(given: Command): Promise<number> {
  // Relative to the folder from which Pulumi reads it, because the rollback runs in the project's folder.
  const { configFile, plan, cwd = "." } = given;
  const command = {
    ...given,
    ...(configFile === undefined ? {} : { configFile: resolve(cwd, configFile) }),
    ...(plan === undefined ? {} : { plan: resolve(cwd, plan) }),
  };
  process.env.PULUMI_PARALLEL ??= parallel;
  const compiled = process.env.NODE_COMPILE_CACHE || compiledCodeFolder();
  if (compiled) process.env.NODE_COMPILE_CACHE = compiled;
  // A closed terminal or pipe no longer reads the output.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  outlive((signal, terminal) =>
    log(
      terminal && signal === "SIGINT"
        ? "interrupted during the rollback; npx pulumi-lvs rollback continues it"
        : `${signal}: the rollback is finished first`,
    ),
  );
  return command.command === "up" ? up(command) : rollback(command);
}
