import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { automation } from "@pulumi/pulumi";
import type { Exported } from "./deployment.js";
import { pulumiMust } from "./pulumi-cli.js";

/** One operation on a stack, as the backend remembers it. */
export interface Operation {
  /** `update`, `refresh`, `destroy`, `import`, … */
  readonly kind: string;
  readonly startTime: string;
  readonly message?: string;
  readonly result?: string;
  /** Number of the operation, where the backend counts. */
  readonly version?: number;
}

/** The latest operations that the backend remembers, the newest first. Every backend does. */
export async function operations({ name, workspace }: automation.Stack): Promise<Operation[]> {
  // unsaid it is ten, which a day of refreshing fills
  const args = ["stack", "history", "--json", "--page-size", "100", "--stack", name];
  return JSON.parse(await pulumiMust(workspace, args)) ?? [];
}

/** Operations that change what is declared; refreshing only looks. */
export const isChange = ({ kind }: Operation): boolean => kind !== "refresh" && kind !== "preview";

/** Begins the message of each update that takes another one back. */
export const rollbackMark = "pulumi-lvs rollback";

export const isRollback = ({ message = "" }: Operation): boolean => message.startsWith(rollbackMark);

/** Tells operations of one stack from each other. */
export const operationId = (operation: Operation | undefined): string =>
  operation ? `${operation.kind} ${operation.version} ${operation.startTime}` : "none";

/** The newest operation that changed what is declared. */
export const newest = (past: readonly Operation[]): Operation | undefined => past.find(isChange);

/** Operations that changed what is declared after the named one, the newest first. */
export function since(past: readonly Operation[], id: string): Operation[] {
  const changes = past.filter(isChange);
  const at = changes.findIndex((one) => operationId(one) === id);
  return at === -1 ? changes : changes.slice(0, at);
}

const nothing: Exported = { version: 3, deployment: {} };

/**
 * State as it was before the newest update, from a backend that keeps every state: Pulumi Cloud, and folders. Undefined
 * where the backend's history cannot be read from here.
 */
export async function stateBefore(
  stack: automation.Stack,
  update: Operation,
  { url, project }: { url: string; project: string },
): Promise<Exported | undefined> {
  if (url.startsWith("file://")) {
    const folder = fileURLToPath(url);
    return stateInFolder(join(folder, ".pulumi", "history", project, stack.name.split("/").at(-1) as string));
  }
  if (!update.version) return undefined;
  if (update.version === 1) return nothing;
  const which = ["--version", String(update.version - 1), "--stack", stack.name];
  return JSON.parse(await pulumiMust(stack.workspace, ["stack", "export", ...which]));
}

async function stateInFolder(folder: string): Promise<Exported | undefined> {
  const names = await readdir(folder).catch(() => []);
  // named by the nanosecond, all of one length
  const newest = names
    .filter((name) => /\.history\.json(\.gz)?$/.test(name))
    .sort()
    .reverse();
  for (const [i, name] of newest.entries()) {
    const { kind } = (await json(join(folder, name))) as Operation;
    if (kind !== "update") continue;
    const earlier = newest[i + 1];
    if (!earlier) return nothing;
    const checkpoint = names.find((one) =>
      one.startsWith(`${earlier.replace(/\.history\.json(\.gz)?$/, "")}.checkpoint.json`),
    );
    if (!checkpoint) return undefined;
    const { version, checkpoint: state } = (await json(join(folder, checkpoint))) as {
      version: number;
      checkpoint: { latest?: Exported["deployment"] };
    };
    return { version, deployment: state.latest ?? {} };
  }
  return undefined;
}

async function json(file: string): Promise<unknown> {
  const bytes = await readFile(file);
  return JSON.parse((file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8"));
}
