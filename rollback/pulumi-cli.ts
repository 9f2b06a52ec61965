import { execFile } from "node:child_process";
import type { automation } from "@pulumi/pulumi";
import type { Deployment, Exported } from "./deployment.js";

/** The result of a run of the CLI. */
interface PulumiRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the CLI in a stack's workspace, in the same folder and environment as the Automation API. */
export function pulumi(
  { pulumiCommand, workDir, envVars, pulumiHome }: automation.Workspace,
  args: readonly string[],
  { env = {}, cwd = workDir, input }: { env?: NodeJS.ProcessEnv; cwd?: string; input?: string } = {},
): Promise<PulumiRun> {
  return new Promise((resolve) => {
    const child = execFile(
      pulumiCommand.command,
      [...args, "--non-interactive", "--color", "never"],
      {
        cwd,
        env: { ...process.env, ...(pulumiHome ? { PULUMI_HOME: pulumiHome } : {}), ...envVars, ...env },
        maxBuffer: 1024 * 1024 * 1024,
      },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) || 1 : 0, stdout, stderr }),
    );
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}

/** Returns the CLI's output. Throws an error with its messages if it fails. */
export async function pulumiOutput(...args: Parameters<typeof pulumi>): Promise<string> {
  const { code, stdout, stderr } = await pulumi(...args);
  if (code !== 0)
    throw new PulumiError(code, explained((stderr.trim() || stdout.trim()).replace(/^error: /, "")));
  return stdout;
}

/**
 * Adds what to do about a message that does not tell. The CLI writes a file beside the state in a folder, and one that was
 * killed may leave it empty. Then no command reads the state.
 */
const explained = (message: string): string =>
  message.includes("failed to load checkpoint: EOF")
    ? `${message}; if the backend is a folder, delete the empty file .pulumi/stacks/PROJECT/STACK.json.attrs in it: a CLI that was killed has left it, and the state is whole`
    : message;

/** A failure of the CLI, with its messages and exit code. */
export class PulumiError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
    this.name = "PulumiError";
  }
}

/** Returns the stack's state, with encrypted secrets or in clear text. */
export const exported = async (
  { name, workspace }: automation.Stack,
  ...flags: readonly "--show-secrets"[]
): Promise<Exported> =>
  JSON.parse(await pulumiOutput(workspace, ["stack", "export", ...flags, "--stack", name]));

/** Returns the stack's state with secrets in clear text, to be kept in memory only. */
export const stateOf = async (stack: automation.Stack): Promise<Deployment> =>
  (await exported(stack, "--show-secrets")).deployment;

/** Returns whether an export has encrypted secrets. */
export const hasSecrets = (state: Exported): boolean => JSON.stringify(state).includes('"ciphertext"');

/**
 * Returns the stack without what its `up` and `refresh` read for their results: outputs, twice, and the
 * history. A rollback uses none of it, and each costs a run of the CLI.
 */
export const withoutResults = (stack: automation.Stack): automation.Stack =>
  Object.assign(Object.create(stack) as automation.Stack, {
    outputs: async () => ({}),
    info: async () => undefined,
  });
