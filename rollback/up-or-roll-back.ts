import type { automation } from "@pulumi/pulumi";
import type { Deployment } from "./deployment.js";
import { describeFailure, type FailedChange, UpdateEvents } from "./events.js";
import { newest, operationId, operations, since } from "./history.js";
import { exported, hasSecrets, stateOf } from "./pulumi-cli.js";
import { type RollbackResult, restore } from "./restore.js";
import { type Saved, SavedCopy } from "./saved-state.js";

/** The result of an update. */
export type UpdateResult =
  /** The update succeeded, and so did the verification. */
  | { readonly result: "done" }
  /** It failed before it changed a resource of this package. Nothing was rolled back. */
  | { readonly result: "nothing changed"; readonly why: string; readonly error: unknown }
  | RolledBack;

/** Hosts and state are as before, except for `notRestored`. */
export interface RolledBack extends RollbackResult {
  readonly result: "rolled back" | "not rolled back";
  /** The reason why the update failed. */
  readonly why: string;
}

/** Options of `upOrRollBack`. */
export interface UpOrRollBackOptions {
  /** Options of the update, as in `stack.up`. */
  readonly up?: automation.UpOptions | undefined;
  /** Checks the result of the update, and throws if it is wrong. Default: no check. */
  readonly verify?: (() => void | Promise<void>) | undefined;
  /** Receives a line for each action. Default: none. */
  readonly onProgress?: ((line: string) => void) | undefined;
}

/**
 * Updates a stack. If the update or its verification fails, restores hosts and state of this package's
 * resources. Resources of other packages stay as the update left them.
 *
 * @throws Pulumi's error if the stack's state cannot be read. Nothing has changed by then.
 * @example
 * import { automation } from "@pulumi/pulumi";
 *
 * async function deploy(): Promise<boolean> {
 *   const stack = await automation.LocalWorkspace.selectStack({ stackName: "prod", workDir: "." });
 *   const outcome = await lvs.upOrRollBack(stack, {
 *     up: { onOutput: console.log },
 *     verify: async () => {
 *       const { status } = await fetch("http://192.168.0.210/");
 *       if (status !== 200) throw new Error(`the VIP answers ${status}`);
 *     },
 *     onProgress: console.log,
 *   });
 *   return outcome.result === "done";
 * }
 */
export function upOrRollBack(
  stack: automation.Stack,
  options: UpOrRollBackOptions = {},
): Promise<UpdateResult> {
  return guarded(stack, {
    ...options,
    update: async (onEvent) => {
      const { up = {} } = options;
      const both = (event: automation.EngineEvent) => {
        onEvent(event);
        up.onEvent?.(event);
      };
      await stack.up({ ...up, onEvent: both });
    },
    ...(options.up?.configFile ? { configFile: options.up.configFile } : {}),
  });
}

/** Works as `upOrRollBack`, for an update by any means. */
export async function guarded(
  stack: automation.Stack,
  options: Omit<UpOrRollBackOptions, "up"> & {
    /**
     * Updates the stack. `before` is its state, with secrets in clear text. It awaits `beforeNextRun` before it runs Pulumi once
     * more.
     */
    readonly update: (
      onEvent: (event: automation.EngineEvent) => void,
      before: Deployment,
      beforeNextRun: () => Promise<void>,
    ) => Promise<void>;
    readonly configFile?: string;
  },
): Promise<UpdateResult> {
  const { verify, onProgress = () => undefined, configFile } = options;
  // The history shows updates by other runs after this operation, so it is read before the state.
  const [past, copy] = await Promise.all([operations(stack), SavedCopy.of(stack)]);
  const previous = operationId(newest(past));
  const encrypted = await exported(stack);
  const before = hasSecrets(encrypted) ? await stateOf(stack) : encrypted.deployment;
  const earlier = await copy.read();
  await copy.write({ before: encrypted, previous });

  let events = new UpdateEvents();
  let failure: { why: string; error: unknown } | undefined;
  let begun = false;
  // The newest operation of the history that is known, and whether one of them is of another run.
  let known = previous;
  let others = false;
  /** Notes the operation of a run of Pulumi that has ended. */
  const ended = async (): Promise<void> => {
    const added = since(await operations(stack), known);
    // A run that failed before its first change has no operation that succeeded.
    const isAnothers = failure !== undefined && !events.begun && added[0]?.result === "succeeded";
    others ||= added.length > 1 || isAnothers;
    known = added[0] ? operationId(added[0]) : known;
    begun ||= events.begun;
  };
  const beforeNextRun = async () => {
    await ended();
    // After a kill, `rollback` then takes the second run for the one that died, and restores the state before both.
    if (!others) await copy.write({ before: encrypted, previous: known });
    events = new UpdateEvents();
  };
  try {
    await options.update((event) => events.add(event), before, beforeNextRun);
  } catch (error) {
    failure = { why: "the update failed", error };
  }
  if (failure && !events.begun && !begun) {
    // A difference is another run's. This run could not lock the stack, or waited for a confirmation, and a
    // preview holds no lock.
    await copy.restore(earlier);
    return { result: "nothing changed", ...failure };
  }
  try {
    await ended();
    const { failures } = events;
    const update = known === previous ? undefined : known;
    // This was only a preview.
    if (update === undefined && !begun) await copy.restore(earlier);
    // The backend's history knows the state better.
    else if (others) await copy.restore(undefined);
    else await copy.write({ before: encrypted, previous, update, failures });
    if (!failure && verify) {
      try {
        await verify();
      } catch (error) {
        failure = { why: `the verification failed: ${(error as Error).message}`, error };
        // A verification may take minutes.
        others ||= since(await operations(stack), known).length > 0;
      }
    }
    if (!failure) return { result: "done" };

    const { why } = failure;
    if (others) {
      onProgress(why);
      return notRolledBack(
        stack,
        why,
        "another update has changed the stack since; see `pulumi stack history`",
      );
    }
    onProgress(`${why}; rolling back`);
    for (const one of failures) onProgress(`  ${describeFailure(one)}`);
    return await rollBackFrom(stack, {
      copy,
      saved: { before: encrypted, previous, update, failures },
      before,
      why,
      onProgress,
      configFile,
    });
  } catch (error) {
    return notRolledBack(stack, failure?.why ?? "the update went through", (error as Error).message);
  }
}

/** Returns the result if nothing was rolled back, for a reason that concerns no single resource. */
const notRolledBack = ({ name }: automation.Stack, why: string, reason: string): RolledBack => ({
  result: "not rolled back",
  why,
  changes: [],
  notRestored: [{ resource: `stack ${name}`, urn: "", host: undefined, why: reason }],
});

/** Rolls back, and writes the result to the saved copy. */
export async function rollBackFrom(
  stack: automation.Stack,
  options: {
    readonly copy: SavedCopy;
    readonly saved: Omit<Saved, "format" | "stack" | "failures"> & {
      readonly failures: readonly FailedChange[];
    };
    /** The state in the copy, with secrets in clear text. */
    readonly before: Deployment;
    readonly why: string;
    readonly onProgress: (line: string) => void;
    readonly configFile: string | undefined;
  },
): Promise<RolledBack> {
  const { copy, saved, before, why, onProgress, configFile } = options;
  try {
    // If this process dies, the next one can continue.
    await copy.write({ ...saved, begun: true });
    const done = await restore(stack, before, {
      failures: saved.failures,
      onProgress,
      // The message stays in the history and is visible in process lists. It has no text of the verification,
      // which may contain secrets.
      message: `pulumi-lvs rollback: ${why.split(":")[0]}`,
      ...(configFile ? { configFile } : {}),
    });
    const isRolledBack = done.notRestored.length === 0;
    await copy.write({ ...saved, begun: true, isRolledBack });
    return { result: isRolledBack ? "rolled back" : "not rolled back", why, ...done };
  } catch (error) {
    return notRolledBack(stack, why, (error as Error).message);
  }
}
