#!/usr/bin/env node
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import type { automation } from "@pulumi/pulumi";
import { type Asked, asked } from "./arguments.js";
import { titleOf } from "./deployment.js";
import { stackAt } from "./project.js";
import { PulumiError } from "./pulumi.js";
import { guarded, type Outcome } from "./up-or-roll-back.js";

const help = `pulumi-lvs up [flags of pulumi up] [--verify COMMAND]
    pulumi up; if it fails, or COMMAND fails after it, hosts and state go back to what they were before
pulumi-lvs rollback [--stack NAME] [--cwd FOLDER] [--config-file FILE]
    takes the last update back

Exit codes: 0 done, 10 rolled back, 11 could not roll back; else nothing was changed, and the code is Pulumi's.
Resources of other packages are left as they are. More: docs/rollback.md in the package.`;

/** Exit codes that Pulumi does not use. */
const codes = { rolledBack: 10, notRolledBack: 11 } as const;

const say = (line: string): void => console.error(`pulumi-lvs: ${line}`);

/** Pulumi ended with another code than 0. */
class UpdateFailed extends Error {
  constructor(readonly code: number) {
    super(`pulumi ended with ${code}`);
  }
}

let running: ChildProcess | undefined;

/**
 * Runs a program on the terminal. There Ctrl-C reaches it by itself; elsewhere it is a group of its own, which signals are
 * passed on to, so that it hears each of them once.
 */
function onTerminal(program: string, args: readonly string[], shell = false): Promise<number> {
  const detached = !process.stdin.isTTY;
  return new Promise((resolve, reject) => {
    // the Automation API asks for events in the same way
    const env = { ...process.env, PULUMI_DEBUG_COMMANDS: "true" };
    const child = spawn(program, args, { stdio: "inherit", env, shell, detached });
    running = child;
    child.on("error", reject);
    child.on("close", (code, signal) => {
      running = undefined;
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    if (!running) say("going back is not interrupted: wait for its end");
    else if (!(process.stdin.isTTY && signal === "SIGINT")) running.kill(signal);
  });

async function up(args: Extract<Asked, { command: "up" | "rollback" }>): Promise<number> {
  const stack = await stackAt(args.cwd, args.stack);
  const place = await mkdtemp(join(tmpdir(), "pulumi-lvs-"));
  const log = join(place, "events");
  const { verify } = args;
  const update = async (onEvent: (event: automation.EngineEvent) => void) => {
    const code = await onTerminal(stack.workspace.pulumiCommand.command, [
      "up",
      ...args.rest,
      "--event-log",
      log,
    ]);
    for (const event of await eventsIn(log)) onEvent(event);
    if (code !== 0) throw new UpdateFailed(code);
  };
  try {
    const outcome = await guarded(stack, {
      update,
      say,
      ...(args.configFile ? { configFile: args.configFile } : {}),
      ...(verify
        ? {
            verify: async () => {
              const code = await onTerminal(verify, [], true);
              if (code !== 0) throw new Error(`${verify} ended with ${code}`);
            },
          }
        : {}),
    });
    return told(outcome);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** Engine events that the CLI wrote, one a line; what it wrote last may be cut off. */
async function eventsIn(log: string): Promise<automation.EngineEvent[]> {
  const text = await readFile(log, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

function told(outcome: Outcome): number {
  if (outcome.result === "done") return 0;
  if (outcome.result === "nothing changed") {
    say("nothing of this package was changed, so nothing is taken back");
    return outcome.error instanceof UpdateFailed ? outcome.error.code : 1;
  }
  for (const { op, urn } of outcome.changes) say(`  ${op} ${titleOf(urn)}`);
  if (outcome.result === "rolled back") {
    say("rolled back: hosts and state are as they were before the update");
    return codes.rolledBack;
  }
  say("could not roll back:");
  for (const { resource, host, why } of outcome.left)
    say(`  ${resource}${host ? ` on ${host}` : ""}: ${why}`);
  say("mend what is named there, then: npx pulumi-lvs rollback");
  return codes.notRolledBack;
}

async function main(): Promise<number> {
  const args = asked(process.argv.slice(2));
  if (args.command === "help") {
    console.log(help);
    return 0;
  }
  if (args.command === "wrong") {
    say(args.why);
    return 2;
  }
  return up(args);
}

main().then(
  (code) => {
    process.exit(code);
  },
  (error: Error) => {
    say(error.message);
    process.exit(error instanceof PulumiError ? error.code : 1);
  },
);
