import type { automation } from "@pulumi/pulumi";
import { notAsBefore } from "./declared.js";
import type { Deployment, Exported } from "./deployment.js";
import { rollbackMark } from "./history.js";
import { exported, stateOf } from "./pulumi.js";
import { lastUpdate, operationId, SavedCopy } from "./saved.js";
import { type TakenBack, takeBack } from "./take-back.js";
import { sayTrouble, type Trouble, Watch } from "./watch.js";

/** How an update went. */
export type Outcome =
  /** It went through, and so did the verification. */
  | { readonly result: "done" }
  /** It failed before it changed a resource of this package; nothing was taken back. */
  | { readonly result: "nothing changed"; readonly why: string; readonly error: unknown }
  | RolledBack;

/** Hosts and state are as before, or what is `left` is not. */
export interface RolledBack extends TakenBack {
  readonly result: "rolled back" | "not rolled back";
  /** What was wrong with the update. */
  readonly why: string;
}

/** Options of `upOrRollBack`. */
export interface UpOrRollBackOptions {
  /** Options of the update, as `stack.up` takes them. */
  readonly up?: automation.UpOptions;
  /** Whether what the update made is good: throws where it is not. Default: what went through is good. */
  readonly verify?: () => void | Promise<void>;
  /** Told what is being done, a line each. Default: nobody is. */
  readonly say?: (line: string) => void;
}

/**
 * Updates a stack; if that fails, or what it made is found wrong, brings hosts and state back to what they were before, as
 * far as resources of this package go. Somebody else's are left as the update left them.
 *
 * @throws what Pulumi says when the stack's state cannot be read, before anything is done.
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
 *     say: console.log,
 *   });
 *   return outcome.result === "done";
 * }
 */
export function upOrRollBack(stack: automation.Stack, options: UpOrRollBackOptions = {}): Promise<Outcome> {
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

/** As `upOrRollBack`, whoever makes the update. */
export async function guarded(
  stack: automation.Stack,
  options: Omit<UpOrRollBackOptions, "up"> & {
    readonly update: (onEvent: (event: automation.EngineEvent) => void) => Promise<void>;
    readonly configFile?: string;
  },
): Promise<Outcome> {
  const { verify, say = () => undefined, configFile } = options;
  const [copy, encrypted, before] = await Promise.all([SavedCopy.of(stack), exported(stack), stateOf(stack)]);
  const earlier = await copy.read();
  await copy.write({ before: encrypted });

  const watch = new Watch();
  let failure: { why: string; error: unknown } | undefined;
  try {
    await options.update((event) => watch.take(event));
  } catch (error) {
    failure = { why: "the update failed", error };
  }
  const after = await stateOf(stack);
  const { troubles } = watch;
  if (failure && !watch.begun && notAsBefore(before, after).length === 0) {
    // the update before this one is still the last that did something
    await copy.restore(earlier);
    return { result: "nothing changed", ...failure };
  }
  const update = operationId(await lastUpdate(stack));
  await copy.write({ before: encrypted, update, troubles });
  if (!failure && verify) {
    try {
      await verify();
    } catch (error) {
      failure = { why: `the verification failed: ${(error as Error).message}`, error };
    }
  }
  if (!failure) return { result: "done" };

  const { why } = failure;
  say(`${why}; rolling back`);
  for (const trouble of troubles) say(`  ${sayTrouble(trouble)}`);
  return goBack(stack, { copy, encrypted, before, update, troubles, why, say, configFile });
}

/** Takes back, and notes in the copy what came of it. */
export async function goBack(
  stack: automation.Stack,
  options: {
    readonly copy: SavedCopy;
    readonly encrypted: Exported;
    readonly before: Deployment;
    /** What is taken back, as `operationId` names it. */
    readonly update: string;
    readonly troubles: readonly Trouble[];
    readonly why: string;
    readonly say: (line: string) => void;
    readonly configFile: string | undefined;
  },
): Promise<RolledBack> {
  const { copy, encrypted, before, update, troubles, why, say, configFile } = options;
  const done = await takeBack(stack, before, {
    troubles,
    say,
    message: `${rollbackMark}: ${why}`,
    ...(configFile ? { configFile } : {}),
  });
  const takenBack = done.left.length === 0;
  await copy.write({ before: encrypted, update, troubles, takenBack });
  return { result: takenBack ? "rolled back" : "not rolled back", why, ...done };
}
