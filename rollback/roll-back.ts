import type { automation } from "@pulumi/pulumi";
import { decrypted } from "./decrypt.js";
import { type Deployment, type Exported, oursOf } from "./deployment.js";
import type { Trouble } from "./events.js";
import {
  isChange,
  isRollback,
  type Operation,
  operationId,
  operations,
  since,
  stateBefore,
} from "./history.js";
import { stateOf } from "./pulumi-cli.js";
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
export class NothingToRollBackError extends Error {}

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
  if (own?.takenBack || (!own && changes[0] && isRollback(changes[0])))
    throw new NothingToRollBackError(
      "the last update was itself a rollback; update the stack to what it shall be by `pulumi up`",
    );
  if (!last && !own) throw new NothingToRollBackError("the stack has had no update yet");
  if (!own && last?.kind !== "update")
    throw new NothingToRollBackError(
      `the last operation was no update (${last?.kind}); \`pulumi up\` builds what a program declares`,
    );

  const earlier: Exported | undefined = own?.before ?? (last && (await stateBefore(stack, last, copy)));
  if (!earlier)
    throw new NothingToRollBackError(
      `nothing is known of the time before the last update: its backend (${copy.url}) keeps no history that can be read, and on this machine it was not made by \`pulumi-lvs up\``,
    );
  const before = await decrypted(stack, earlier);
  onProgress(
    `rolling back the update of ${last?.startTime ?? "this machine"}, by ${own ? "the copy that `pulumi-lvs up` saved" : "the backend's history"}`,
  );
  const troubles = own ? own.troubles : last?.result === "succeeded" ? [] : undefined;
  return rollBackFrom(stack, {
    copy,
    saved: {
      before: earlier,
      previous: own?.previous ?? update,
      update: own ? own.update : update,
      troubles: troubles ?? uncertain(await stateOf(stack)),
    },
    before,
    why: "rollback of the last update",
    onProgress,
    configFile,
  });
}

/**
 * Returns all resources as uncertain: after a failed update without its events, any may differ from its host.
 */
const uncertain = (now: Deployment): Trouble[] =>
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
