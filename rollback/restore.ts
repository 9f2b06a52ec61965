import type { automation } from "@pulumi/pulumi";
import { rollingBack } from "../providers/engine/rolling-back.js";
import {
  type Deployment,
  entriesOf,
  hostIn,
  isOurs,
  type NotRestored,
  stackOf,
  titleOf,
} from "./deployment.js";
import { type Change, type FailedChange, UpdateEvents } from "./events.js";
import { deleting, deletionsOf, heldBy, keeping } from "./held.js";
import { deleteOrphans, interruptedCreations } from "./orphans.js";
import { type Declared, differentResources, previousProgram, withoutProtection } from "./previous-program.js";
import { stateOf, withoutResults } from "./pulumi-cli.js";
import { redeclare } from "./redeclare.js";
import { unrestorable } from "./unrestorable.js";

/** The result of a rollback. */
export interface RollbackResult {
  readonly changes: readonly Change[];
  /** The resources that were not restored. Empty if all were. */
  readonly notRestored: readonly NotRestored[];
}

/** Options of the runs of Pulumi that roll back. */
interface RestoreOptions {
  /** The known failures of the update. */
  readonly failures: readonly FailedChange[];
  /** File with the stack's configuration, if it is not the default one. */
  readonly configFile?: string;
  readonly message: string;
  /** Receives a line for each action. */
  readonly onProgress: (line: string) => void;
}

/**
 * Restores the hosts and the state of a stack from an earlier export. Both exports have secrets in clear
 * text.
 */
export async function restore(
  whole: automation.Stack,
  before: Deployment,
  options: RestoreOptions,
): Promise<RollbackResult> {
  const stack = inRollback(withoutResults(whole));
  const why = new Map<string, string>();
  const settings = {
    message: options.message,
    ...(options.configFile ? { configFile: options.configFile } : {}),
  };
  let now = await stateOf(stack);

  const unsure = unsureOf(now, options.failures);
  // Pending creations of other packages are not cleared here.
  const clearPendingCreates = (now.pending_operations ?? []).every(({ resource }) => isOurs(resource));
  for (const [host, urns] of unsure) {
    options.onProgress(
      `looking at ${host} again, because it is not known what came of ${urns.map(titleOf).join(", ")}`,
    );
    const events = new UpdateEvents();
    await stack
      .refresh({ ...settings, target: urns, clearPendingCreates, onEvent: (event) => events.add(event) })
      .catch((error) => {
        for (const urn of urns) why.set(urn, events.messageOf(urn) ?? wordsOf(error));
      });
  }
  if (unsure.size > 0) now = await stateOf(stack);

  const changes: Change[] = [];
  const run = async (declared: Declared): Promise<void> => {
    const events = new UpdateEvents();
    let failure: string | undefined;
    await stack
      .up({
        ...settings,
        program: redeclare(declared),
        target: [...declared.targets],
        continueOnError: true,
        onEvent: (event) => events.add(event),
      })
      .catch((error) => {
        failure = wordsOf(error);
      });
    changes.push(...events.changes);
    for (const one of events.failures) why.set(one.urn, one.message || "no result was reported");
    now = await stateOf(stack);
    if (failure) for (const { urn } of differentResources(before, now)) why.set(urn, why.get(urn) ?? failure);
  };

  const keepsUndeclared = supportsUndeclared(stack.workspace.pulumiVersion);
  const unlocked = withoutProtection(before, now, keepsUndeclared);
  if (unlocked) await run(unlocked);
  const program = previousProgram(before, now, keepsUndeclared);
  const held = heldBy(deletionsOf(program, before), now);
  await run(held.size > 0 ? keeping(held, before, now, keepsUndeclared) : program);
  if (held.size > 0) {
    // What the first run could not delete holds, too.
    const still = heldBy(new Set(held.keys()), now);
    const free = [...held.keys()].filter((urn) => entriesOf(now).has(urn) && !still.has(urn));
    if (free.length > 0) await run(deleting(free, now, keepsUndeclared));
    for (const [urn, holder] of still) why.set(urn, `${titleOf(holder)} still needs it`);
  }
  for (const [urn, reason] of unrestorable(before, now)) why.set(urn, reason);
  const creating = interruptedCreations(now);
  const lost = options.failures.filter(({ inputs }) => inputs);
  const orphans = await deleteOrphans([...creating, ...lost], [before, now], options.onProgress);
  const root = stackOf(now);
  // This refresh reads no resource. It only clears the pending creations.
  if (creating.length > 0 && clearPendingCreates && root)
    await stack.refresh({ ...settings, target: [root.urn], clearPendingCreates }).catch(() => undefined);

  const different = differentResources(before, now).map(({ urn, id }) => ({
    resource: titleOf(urn),
    urn,
    host: hostIn(id),
    why: why.get(urn) ?? "it is not as it was",
  }));
  const unread = [...unsure.values()].flat().flatMap((urn) => {
    const reason = why.get(urn);
    if (reason === undefined || different.some((one) => one.urn === urn)) return [];
    return [{ resource: titleOf(urn), urn, host: hostIn(entriesOf(now).get(urn)?.id), why: reason }];
  });
  return { changes, notRestored: [...different, ...unread, ...orphans] };
}

/** Returns the stack with an environment in which resources know that this is a rollback. */
const inRollback = (stack: automation.Stack): automation.Stack => {
  const envVars = { ...stack.workspace.envVars, [rollingBack]: "1" };
  return Object.assign(Object.create(stack) as automation.Stack, {
    workspace: Object.assign(Object.create(stack.workspace) as automation.Workspace, { envVars }),
  });
};

/** Returns whether the CLI keeps an undeclared dependency of a declared resource. Tried with 3.258. */
const supportsUndeclared = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 3 || minor >= 258;
};

/** Returns resources in state that may differ from their hosts, by host. */
function unsureOf(now: Deployment, failures: readonly FailedChange[]): Map<string, string[]> {
  const present = entriesOf(now);
  const pending = (now.pending_operations ?? []).map(({ resource }) => resource.urn);
  const urns = new Set([...failures.filter(({ uncertain }) => uncertain).map(({ urn }) => urn), ...pending]);
  const byHost = new Map<string, string[]>();
  for (const urn of urns) {
    const entry = present.get(urn);
    if (!entry || !isOurs(entry)) continue;
    const host = hostIn(entry.id) ?? "its host";
    byHost.set(host, [...(byHost.get(host) ?? []), urn]);
  }
  return byHost;
}

/** Returns why a run of the CLI failed, in its own words, without the line that only reports the failure. */
function wordsOf(error: unknown): string {
  const errors = String((error as Error).message)
    .split("\n")
    .flatMap((line) => /error: (.*)/.exec(line)?.[1]?.trim() ?? [])
    .filter((line) => !/^(update|refresh) failed$/.test(line));
  return [...new Set(errors)].join("; ") || "pulumi failed";
}
