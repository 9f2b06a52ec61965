import { execFile } from "node:child_process";
import type { automation } from "@pulumi/pulumi";
import type { Deployment, Exported } from "./deployment.js";

/** What a run of the CLI came to. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the CLI of a stack's workspace, where and as the Automation API would. */
export function pulumi(
  { pulumiCommand, workDir, envVars, pulumiHome }: automation.Workspace,
  args: readonly string[],
  { env = {}, cwd = workDir, input }: { env?: NodeJS.ProcessEnv; cwd?: string; input?: string } = {},
): Promise<Ran> {
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

/** What it wrote, or an error with what it said. */
export async function pulumiMust(...args: Parameters<typeof pulumi>): Promise<string> {
  const { code, stdout, stderr } = await pulumi(...args);
  if (code !== 0) throw new PulumiError(code, (stderr.trim() || stdout.trim()).replace(/^error: /, ""));
  return stdout;
}

/** The CLI said no: its words, and its exit code. */
export class PulumiError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
    this.name = "PulumiError";
  }
}

/** The stack's state, secrets encrypted, or in clear. */
export const exported = async (
  { name, workspace }: automation.Stack,
  ...flags: readonly "--show-secrets"[]
): Promise<Exported> =>
  JSON.parse(await pulumiMust(workspace, ["stack", "export", ...flags, "--stack", name]));

/** The stack's state with secrets in clear, for memory only. */
export const stateOf = async (stack: automation.Stack): Promise<Deployment> =>
  (await exported(stack, "--show-secrets")).deployment;
