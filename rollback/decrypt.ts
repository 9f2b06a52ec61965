import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { automation } from "@pulumi/pulumi";
import type { Deployment, Exported } from "./deployment.js";
import { hasSecrets, pulumiOutput } from "./pulumi-cli.js";

/**
 * Returns an export with its secrets in clear text, in memory only. An export names its own encryption, so
 * any stack can hold it. A temporary backend imports it and exports it again.
 */
export async function decrypted({ workspace }: automation.Stack, exported: Exported): Promise<Deployment> {
  if (!hasSecrets(exported)) return exported.deployment;
  const text = JSON.stringify(exported);
  const [, stack = "stack", project = "project"] =
    /^urn:pulumi:(.+?)::(.+?)::/.exec(exported.deployment.resources?.[0]?.urn ?? "") ?? [];
  const place = await mkdtemp(join(tmpdir(), "pulumi-lvs-"));
  try {
    await mkdir(join(place, "state"));
    await writeFile(join(place, "Pulumi.yaml"), JSON.stringify({ name: project, runtime: "nodejs" }));
    const given = { ...process.env, ...workspace.envVars };
    const file = given.PULUMI_CONFIG_PASSPHRASE_FILE;
    const byPassphrase = exported.deployment.secrets_providers?.type === "passphrase";
    const env = {
      PULUMI_BACKEND_URL: `file://${join(place, "state")}`,
      ...(file ? { PULUMI_CONFIG_PASSPHRASE_FILE: resolve(workspace.workDir, file) } : {}),
      // The temporary stack needs a passphrase, too.
      ...(byPassphrase ? {} : { PULUMI_CONFIG_PASSPHRASE: "thrown away" }),
    };
    const run = (args: string[], input?: string) =>
      pulumiOutput(workspace, args, { cwd: place, env, ...(input === undefined ? {} : { input }) });
    await run(["stack", "init", stack, "--no-select", "--secrets-provider", "passphrase"]);
    await run(["stack", "import", "--force", "--stack", stack], text);
    const clear = JSON.parse(await run(["stack", "export", "--show-secrets", "--stack", stack]));
    return (clear as Exported).deployment;
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}
