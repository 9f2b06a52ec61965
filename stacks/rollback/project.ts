import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { automation } from "@pulumi/pulumi";
import { PulumiError, pulumiMust } from "./pulumi.js";

/** The stack that the CLI would take in a folder, without selecting it for the runs of others. */
export async function stackAt(cwd = ".", name?: string): Promise<automation.Stack> {
  const workspace = await automation.LocalWorkspace.create({ workDir: projectRoot(resolve(cwd)) });
  const stackName = name ?? (await pulumiMust(workspace, ["stack", "--show-name"])).trim();
  workspace.selectStack = async () => undefined;
  return automation.Stack.select(stackName, workspace);
}

function projectRoot(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"].some((file) => existsSync(join(at, file)))) return at;
    if (dirname(at) === at)
      throw new PulumiError(
        2,
        `there is no Pulumi.yaml in ${folder} or above it; go to the project, or name it by --cwd`,
      );
  }
}
