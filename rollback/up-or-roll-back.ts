import type { automation } from "@pulumi/pulumi";
import type { Deployment } from "./deployment.js";
import { sayTrouble, type Trouble, Watch } from "./events.js";
import { newest, operationId, operations, rollbackMark, since } from "./history.js";
import { exported, stateOf } from "./pulumi-cli.js";
import { type TakenBack, takeBack } from "./restore.js";
import { type Saved, SavedCopy } from "./saved-state.js";

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
  // what is done besides after this is seen in the history
  const previous = operationId(newest(await operations(stack)));
  const changes = async () => since(await operations(stack), previous);
  const [copy, encrypted, before] = await Promise.all([SavedCopy.of(stack), exported(stack), stateOf(stack)]);
  const earlier = await copy.read();
  await copy.write({ before: encrypted, previous });

  const watch = new Watch();
  let failure: { why: string; error: unknown } | undefined;
  try {
    await options.update((event) => watch.take(event));
  } catch (error) {
    failure = { why: "the update failed", error };
  }
  if (failure && !watch.begun) {
    // what is different by now is the doing of somebody else, while this one was refused the lock, or waited for a yes where previews hold none
    await copy.restore(earlier);
    return { result: "nothing changed", ...failure };
  }
  try {
    const { troubles } = watch;
    const made = await changes();
    // a preview only
    if (made.length === 0 && !watch.begun) await copy.restore(earlier);
    // the backend's history knows better
    else if (made.length > 1) await copy.restore(undefined);
    else await copy.write({ before: encrypted, previous, update: made[0] && operationId(made[0]), troubles });
    if (!failure && verify) {
      try {
        await verify();
      } catch (error) {
        failure = { why: `the verification failed: ${(error as Error).message}`, error };
      }
    }
    if (!failure) return { result: "done" };

    const { why } = failure;
    if (made.length > 1 || (await changes()).length > made.length) {
      say(why);
      return notKnown(
        stack,
        why,
        "somebody else has updated the stack meanwhile; see `pulumi stack history`",
      );
    }
    say(`${why}; rolling back`);
    for (const trouble of troubles) say(`  ${sayTrouble(trouble)}`);
    const update = made[0] && operationId(made[0]);
    return await goBack(stack, {
      copy,
      saved: { before: encrypted, previous, update, troubles },
      before,
      why,
      say,
      configFile,
    });
  } catch (error) {
    return notKnown(stack, failure?.why ?? "the update went through", (error as Error).message);
  }
}

/** Nothing was taken back, for a reason that is not one resource's. */
const notKnown = ({ name }: automation.Stack, why: string, reason: string): RolledBack => ({
  result: "not rolled back",
  why,
  changes: [],
  left: [{ resource: `stack ${name}`, urn: "", host: undefined, why: reason }],
});

/** Takes back, and notes in the copy what came of it. */
export async function goBack(
  stack: automation.Stack,
  options: {
    readonly copy: SavedCopy;
    readonly saved: Omit<Saved, "format" | "stack" | "troubles"> & { readonly troubles: readonly Trouble[] };
    /** What is in the copy, with secrets in clear. */
    readonly before: Deployment;
    readonly why: string;
    readonly say: (line: string) => void;
    readonly configFile: string | undefined;
  },
): Promise<RolledBack> {
  const { copy, saved, before, why, say, configFile } = options;
  try {
    // whatever becomes of this process, the next one goes on
    await copy.write(saved);
    const done = await takeBack(stack, before, {
      troubles: saved.troubles,
      say,
      // it is kept in the history and shown in lists of processes: no words of the verification, which may have secrets
      message: `${rollbackMark}: ${why.split(":")[0]}`,
      ...(configFile ? { configFile } : {}),
    });
    const takenBack = done.left.length === 0;
    await copy.write({ ...saved, takenBack });
    return { result: takenBack ? "rolled back" : "not rolled back", why, ...done };
  } catch (error) {
    return notKnown(stack, why, (error as Error).message);
  }
}
