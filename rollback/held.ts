import { type Deployment, type Entry, entriesOf, isPart } from "./deployment.js";
import { type Declared, previousProgram } from "./previous-program.js";
import { needsOf } from "./unrestorable.js";

/*
 * What the update created may be needed by a resource that stays, until that one is restored. If that one fails, Pulumi
 * 3.258 deletes what it needs all the same, and no run can read the state any more. So what is needed is kept first, and
 * deleted by a second run.
 */

/** Resources to delete, by URN, each with one that stays and needs it. */
type Held = ReadonlyMap<string, string>;

/** Returns the targets of the program that it deletes. */
export function deletionsOf({ targets, resources }: Declared, before: Deployment): Set<string> {
  const old = entriesOf(before);
  const renamed = new Set(resources.flatMap(({ aliases }) => aliases));
  return new Set(targets.filter((urn) => !old.has(urn) && !renamed.has(urn)));
}

/** Returns those of the resources to delete that the state has no other resource without. */
export function heldBy(deletions: ReadonlySet<string>, now: Deployment): Held {
  const present = entriesOf(now);
  const held = new Map<string, string>();
  const hold = (entry: Entry, holder: string): void => {
    for (const urn of needsOf(entry)) {
      const needed = present.get(urn);
      if (!needed || needed.external || !deletions.has(urn) || held.has(urn)) continue;
      held.set(urn, holder);
      hold(needed, holder);
    }
  };
  for (const entry of now.resources ?? []) if (!deletions.has(entry.urn)) hold(entry, entry.urn);
  return held;
}

/** Returns the program that restores `before`, and leaves what is held as it is. */
export function keeping(held: Held, before: Deployment, now: Deployment, keepsUndeclared: boolean): Declared {
  const old = entriesOf(before);
  const kept = [...entriesOf(now).values()].filter(
    (entry) => !old.has(entry.urn) && (held.has(entry.urn) || !isPart(entry)),
  );
  const both = { ...before, resources: [...(before.resources ?? []), ...kept] };
  const { targets, ...program } = previousProgram(both, now, keepsUndeclared);
  return { ...program, targets: targets.filter((urn) => !held.has(urn)) };
}

/** Returns the program that deletes these resources, and leaves all others as they are. */
export function deleting(urns: readonly string[], now: Deployment, keepsUndeclared: boolean): Declared {
  const resources = (now.resources ?? []).filter(({ urn }) => !urns.includes(urn));
  return { ...previousProgram({ ...now, resources }, now, keepsUndeclared), targets: urns };
}
