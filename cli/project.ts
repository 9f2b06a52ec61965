import { resolve } from "node:path";
import { automation } from "@pulumi/pulumi";
import { PulumiError, pulumiOutput } from "../rollback/pulumi-cli.js";
import { projectFolder } from "../stacks/project-folder.js";

/** Returns the stack that the CLI would use in a folder, without selecting it for other runs. */
export async function stackAt(cwd = ".", name?: string): Promise<automation.Stack> {
  const workDir = projectRoot(resolve(cwd));
  const pulumiCommand = await automation.PulumiCommand.get().catch(notFound);
  const workspace = await automation.LocalWorkspace.create({ workDir, pulumiCommand });
  const stackName = name ?? (await pulumiOutput(workspace, ["stack", "--show-name"])).trim();
  workspace.selectStack = async () => undefined;
  return automation.Stack.select(stackName, workspace);
}

function projectRoot(folder: string): string {
  const root = projectFolder(folder);
  if (root !== undefined) return root;
  throw new PulumiError(
    2,
    `cannot find the project: there is no Pulumi.yaml in ${folder} or above it; go to the project, or name it by --cwd`,
  );
}

/** As a shell ends that does not find a command. */
const noCommand = 127;

function notFound(error: unknown): never {
  if (!/ENOENT|not found|spawn pulumi/i.test(String((error as Error)?.message ?? error))) throw error;
  throw new PulumiError(
    noCommand,
    "cannot run Pulumi: its CLI is not on PATH; install it (curl -fsSL https://get.pulumi.com | sh, or https://www.pulumi.com/docs/install), then run again",
  );
}
