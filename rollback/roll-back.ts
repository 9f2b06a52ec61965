import type { automation } from "@pulumi/pulumi";
import { unrecordedChange } from "./checkpoints.js";
import { decrypted } from "./decrypt.js";
import { type Deployment, type Exported, oursOf } from "./deployment.js";
import type { FailedChange } from "./events.js";
import {
  isChange,
  isRollback,
  newest,
  type Operation,
  olderThan,
  operationId,
  operations,
  since,
  stateBefore,
  unlikeHistory,
} from "./history.js";
import { exported, stateOf } from "./pulumi-cli.js";
import { type Saved, SavedCopy } from "./saved-state.js";
import { type RolledBack, rollBackFrom } from "./up-or-roll-back.js";

/** Options of `rollBack`. */
export interface RollBackOptions {
  /** File with the stack's configuration, if it is not the default one. */
  readonly configFile?: string | undefined;
  /** Receives a line for each action. Default: none. */
  readonly onProgress?: ((line: string) => void) | undefined;
}

/** There is no update to roll back, or the state before it is unknown. */
export class NothingToRollBackError extends Error {
  constructor(why: string) {
    super(`cannot roll back: ${why}`);
  }
}

/**
 * Rolls back the last update of a stack: hosts and state of this package's resources. The former state comes
 * from the copy that `upOrRollBack` saved on this machine, if that was the last update. Otherwise it comes
 * from the backend's history.
 *
 * @throws NothingToRollBackError if there was no update, it was rolled back, or the state before it is unknown.
 * @example
 * import { automation } from "@pulumi/pulumi";
 *
 * async function back(): Promise<void> {
 *   const stack = await automation.LocalWorkspace.selectStack({ stackName: "prod", workDir: "." });
 *   const { result, notRestored } = await lvs.rollBack(stack, { onProgress: console.log });
 *   if (result !== "rolled back") console.error(notRestored);
 * }
 */
export async function rollBack(stack: automation.Stack, options: RollBackOptions = {}): Promise<RolledBack> {
  const { onProgress = () => undefined, configFile } = options;
  const [copy, past] = await Promise.all([SavedCopy.of(stack), operations(stack)]);
  const saved = await copy.read();
  const changes = past.filter(isChange);
  const last = changes.find((one) => !isRollback(one));
  const update = operationId(last);
  const own = saved && isOfLast(saved, past) ? saved : undefined;
  const left = await changedSince(copy, own, onProgress);
  if (left?.now.pending_operations?.length)
    return rollBackDeadRun(stack, { copy, ...left, past, onProgress, configFile });
  if (own?.isRolledBack || (!own && changes[0] && isRollback(changes[0])))
    throw new NothingToRollBackError(
      "the last update was itself a rollback; update the stack to what it shall be by `pulumi up`",
    );
  if (left && !own)
    throw new NothingToRollBackError(
      "the state has changed since the last operation of the history: a run was killed, or a person edited the state; run `pulumi-lvs rollback` where that run was started, or `pulumi up --refresh`",
    );
  if (!last && !own) throw new NothingToRollBackError("the stack has had no update yet");
  if (!own && last?.kind !== "update")
    throw new NothingToRollBackError(
      `the last operation was no update (${last?.kind}); \`pulumi up\` builds what a program declares`,
    );

  const earlier: Exported | undefined =
    own?.before ?? (last && (await stateBefore(stack, last, copy.files())));
  if (!earlier)
    throw new NothingToRollBackError(
      `nothing is known of the time before the last update: its backend (${copy.url}) keeps no history that can be read, and on this machine it was not made by \`pulumi-lvs up\``,
    );
  const unlike =
    own || !last ? undefined : unlikeHistory(earlier.deployment, (await exported(stack)).deployment, last);
  if (unlike) throw unknownBefore("update", unlike);
  const before = await decrypted(stack, earlier);
  onProgress(
    `rolling back the update of ${last?.startTime ?? "this machine"}, by ${own ? "the copy that `pulumi-lvs up` saved" : "the backend's history"}`,
  );
  const failures = own ? own.failures : last?.result === "succeeded" ? [] : undefined;
  return rollBackFrom(stack, {
    copy,
    saved: {
      before: earlier,
      previous: own?.previous ?? update,
      update: own ? own.update : update,
      failures: failures ?? uncertain(await stateOf(stack)),
    },
    before,
    why: "rollback of the last update",
    onProgress,
    configFile,
  });
}

const unknownBefore = (run: string, why: string) =>
  new NothingToRollBackError(
    `nothing is known of the time before the last ${run}: ${why}, as after \`pulumi stack import\`; restore the program, and run \`pulumi up\``,
  );

/**
 * Returns the state that the newest operation of the history left, and the state now if it is another one. A run
 * of another computer that died is in no history.
 */
async function changedSince(copy: SavedCopy, own: Saved | undefined, onProgress: (line: string) => void) {
  // The copy knows the run, or the rollback, that died here.
  if (own && !own.isRolledBack && (own.update === undefined || own.begun)) return undefined;
  try {
    const files = copy.files();
    return files && (await unrecordedChange(files));
  } catch (error) {
    if (!own) throw error;
    onProgress(`cannot find out whether another run died since: ${(error as Error).message}`);
    return undefined;
  }
}

async function rollBackDeadRun(
  stack: automation.Stack,
  options: {
    readonly copy: SavedCopy;
    readonly before: Exported | undefined;
    readonly now: Deployment;
    readonly past: readonly Operation[];
    readonly onProgress: (line: string) => void;
    readonly configFile: string | undefined;
  },
): Promise<RolledBack> {
  const { copy, before, now, past, onProgress, configFile } = options;
  const [last] = past;
  if (!before || !last) throw unknownBefore("run", "the history has no earlier state with resources");
  const older = olderThan(last, before.deployment, now);
  if (older) throw unknownBefore("run", older);
  onProgress("rolling back a run that died, by the backend's history");
  return rollBackFrom(stack, {
    copy,
    saved: {
      before,
      previous: operationId(newest(past)),
      update: undefined,
      failures: uncertain(await stateOf(stack)),
    },
    before: await decrypted(stack, before),
    why: "rollback of a run that died",
    onProgress,
    configFile,
  });
}

/**
 * Returns all resources as uncertain: after a failed update without its events, any may differ from its host.
 */
const uncertain = (now: Deployment): FailedChange[] =>
  [...oursOf(now).keys()].map((urn) => ({ urn, op: "update", message: "", uncertain: true }));

/**
 * Returns whether the saved copy belongs to the last update. A killed update is not in the history, or not as
 * a success.
 */
export function isOfLast(
  { update, previous }: Pick<Saved, "update" | "previous">,
  past: readonly Operation[],
): boolean {
  if (update !== undefined)
    return update === operationId(past.find((one) => isChange(one) && !isRollback(one)));
  const later = since(past, previous).filter((one) => !isRollback(one));
  return later.length <= 1 && later.every(({ result }) => result !== "succeeded");
}
