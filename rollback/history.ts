import type { automation } from "@pulumi/pulumi";
import { rollingBack } from "../providers/engine/rolling-back.js";
import { checkpointBefore, nothing, type StackFiles } from "./checkpoints.js";
import { type Deployment, type Exported, oursOf, titleOf } from "./deployment.js";
import { pulumiOutput } from "./pulumi-cli.js";

/** An operation on a stack in the backend's history. */
export interface Operation {
  /** `update`, `refresh`, `destroy`, `import`, … */
  readonly kind: string;
  readonly startTime: string;
  readonly result?: string;
  /** Flags and variables of the run: `pulumi.env.NAME` for each variable that begins with `PULUMI_`. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly resourceChanges?: Readonly<Record<string, number>>;
  /** Number of the operation, if the backend counts. */
  readonly version?: number;
}

/** Returns the latest operations in the backend's history, newest first. Every backend has one. */
export async function operations({ name, workspace }: automation.Stack): Promise<Operation[]> {
  // The default is ten, which a day of refreshes fills.
  const args = ["stack", "history", "--json", "--page-size", "100", "--stack", name];
  return JSON.parse(await pulumiOutput(workspace, args)) ?? [];
}

/** Returns whether an operation changes declarations. A refresh only reads. */
export const isChange = ({ kind }: Operation): boolean => kind !== "refresh" && kind !== "preview";

/** Returns whether an operation rolls another one back: it had the variable by which providers know that. */
export const isRollback = ({ environment = {} }: Operation): boolean =>
  Object.hasOwn(environment, `pulumi.env.${rollingBack}`);

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
  return JSON.parse(await pulumiOutput(stack.workspace, ["stack", "export", ...which]));
}

/** What a run does in a stack that was empty. */
const inEmptyStack = ["create", "import", "read"];

/**
 * Returns why a state of the history is not the one before an update, or undefined if it is. `pulumi stack import`
 * is in no history, and a rollback must not delete what was imported as if the update had made it.
 */
export function unlikeHistory(before: Deployment, now: Deployment, update: Operation): string | undefined {
  const others = Object.keys(update.resourceChanges ?? {}).filter((op) => !inEmptyStack.includes(op));
  if (!before.resources?.length && others.length > 0)
    return `the first update of the history met a stack that was not empty (${others.join(", ")})`;
  return olderThan(update, before, now);
}

/** Returns which resource would be deleted although it is older than an operation, or undefined. */
export function olderThan({ startTime }: Operation, before: Deployment, now: Deployment): string | undefined {
  const known = new Set([...oursOf(before).values()].flatMap(({ urn, type, id }) => [urn, `${type} ${id}`]));
  const [found] = [...oursOf(now).values()].filter(
    ({ urn, type, id, created = "" }) =>
      !known.has(urn) && !known.has(`${type} ${id}`) && !(Date.parse(created) >= Date.parse(startTime)),
  );
  return found && `${titleOf(found.urn)} is older than the update, and in no earlier state of the history`;
}
