import { isDeepStrictEqual } from "node:util";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { BackendFiles } from "./backend-files.js";
import type { Deployment, Exported } from "./deployment.js";

/** A stack in a backend of files. */
export interface StackFiles {
  readonly files: BackendFiles;
  readonly project: string;
  readonly stack: string;
}

export const nothing: Exported = { version: 3, deployment: {} };

const ofHistory = /\.history\.json(\.gz|\.zst)?$/;

/** Returns the state before the newest update, or undefined if there is no such checkpoint. */
export async function checkpointBefore(stack: StackFiles): Promise<Exported | undefined> {
  const { folder, names, entries } = await history(stack);
  for (const [i, name] of entries.entries()) {
    const { kind } = (await json(stack, `${folder}/${name}`)) as { kind: string };
    if (kind !== "update") continue;
    const earlier = entries[i + 1];
    return earlier ? checkpointOf(stack, `${folder}/`, earlier, names) : nothing;
  }
  return undefined;
}

/**
 * Returns the state that the newest operation in the history left, if the stack is in another state now: a run
 * died, or a person edited the state. `before` is undefined if no state with resources is known: a stack without
 * a history may have been imported, and a run that died leaves no time of its start.
 */
export async function unrecordedChange(
  stack: StackFiles,
): Promise<{ readonly before: Exported | undefined; readonly now: Deployment } | undefined> {
  const { folder, names, entries } = await history(stack);
  const at = `.pulumi/stacks/${stack.project}`;
  const own = ["", ".gz", ".zst"].map((compressed) => `${stack.stack}.json${compressed}`);
  const [before, file] = await Promise.all([
    entries[0] ? checkpointOf(stack, `${folder}/`, entries[0], names) : nothing,
    stack.files.names(at).then((found) => found.find((name) => own.includes(name))),
  ]);
  if (!file) return undefined;
  const { deployment: now } = checkpoint(await json(stack, `${at}/${file}`));
  if (isDeepStrictEqual(whole(now), whole(before?.deployment ?? {}))) return undefined;
  return { before: before?.deployment.resources?.length ? before : undefined, now };
}

const whole = ({ resources = [], pending_operations = [] }: Deployment) => [resources, pending_operations];

/** Returns the names in the history, and those of operations, newest first. */
async function history({ files, project, stack }: StackFiles) {
  const folder = `.pulumi/history/${project}/${stack}`;
  const names = await files.names(folder);
  // The names are nanoseconds of equal length.
  const entries = names
    .filter((name) => ofHistory.test(name))
    .sort()
    .reverse();
  return { folder, names, entries };
}

async function checkpointOf(stack: StackFiles, folder: string, entry: string, names: readonly string[]) {
  const start = `${entry.replace(ofHistory, "")}.checkpoint.json`;
  const name = names.find((one) => one.startsWith(start));
  return name === undefined ? undefined : checkpoint(await json(stack, `${folder}${name}`));
}

function checkpoint(content: unknown): Exported {
  const { version, checkpoint } = content as { version: number; checkpoint: { latest?: Deployment } };
  return { version, deployment: checkpoint.latest ?? {} };
}

async function json({ files }: StackFiles, file: string): Promise<unknown> {
  const bytes = await files.read(file);
  const text = file.endsWith(".gz")
    ? gunzipSync(bytes)
    : file.endsWith(".zst")
      ? zstdDecompressSync(bytes)
      : bytes;
  return JSON.parse(text.toString("utf8"));
}
