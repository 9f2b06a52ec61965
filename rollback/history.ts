import type { automation } from "@pulumi/pulumi";
import { checkpointBefore, nothing, type StackFiles } from "./checkpoints.js";
import type { Exported } from "./deployment.js";
import { pulumiMust } from "./pulumi-cli.js";

/** An operation on a stack in the backend's history. */
export interface Operation {
  /** `update`, `refresh`, `destroy`, `import`, … */
  readonly kind: string;
  readonly startTime: string;
  readonly message?: string;
  readonly result?: string;
  /** Number of the operation, if the backend counts. */
  readonly version?: number;
}

/** Returns the latest operations in the backend's history, newest first. Every backend has one. */
export async function operations({ name, workspace }: automation.Stack): Promise<Operation[]> {
  // The default is ten, which a day of refreshes fills.
  const args = ["stack", "history", "--json", "--page-size", "100", "--stack", name];
  return JSON.parse(await pulumiMust(workspace, args)) ?? [];
}

/** Returns whether an operation changes declarations. A refresh only reads. */
export const isChange = ({ kind }: Operation): boolean => kind !== "refresh" && kind !== "preview";

/** The start of the message of each update that rolls another one back. */
export const rollbackMark = "pulumi-lvs rollback";

export const isRollback = ({ message = "" }: Operation): boolean => message.startsWith(rollbackMark);

/** Returns the text that identifies an operation in its stack. */
export const operationId = (operation: Operation | undefined): string =>
  operation ? `${operation.kind} ${operation.version} ${operation.startTime}` : "none";

/** Returns the newest operation that changed declarations. */
export const newest = (past: readonly Operation[]): Operation | undefined => past.find(isChange);

/** Returns the operations that changed declarations after the named one, newest first. */
export function since(past: readonly Operation[], id: string): Operation[] {
  const changes = past.filter(isChange);
  const at = changes.findIndex((one) => operationId(one) === id);
  return at === -1 ? changes : changes.slice(0, at);
}

/**
 * Returns the state before the newest update, from a backend that keeps every state: Pulumi Cloud, folders and
 * PostgreSQL. Returns undefined if the backend's history cannot be read from here.
 */
export async function stateBefore(
  stack: automation.Stack,
  update: Operation,
  files: StackFiles | undefined,
): Promise<Exported | undefined> {
  if (files) return checkpointBefore(files);
  if (!update.version) return undefined;
  if (update.version === 1) return nothing;
  const which = ["--version", String(update.version - 1), "--stack", stack.name];
  return JSON.parse(await pulumiMust(stack.workspace, ["stack", "export", ...which]));
}
