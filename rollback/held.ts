import { type Deployment, type Entry, entriesOf, isPart } from "./deployment.js";
import { type Declared, previousProgram } from "./previous-program.js";
import { needsOf } from "./unrestorable.js";

/*
 * A resource that stays may depend on resources that the update created, until it is restored. If that fails, Pulumi
 * 3.258 deletes the resource's dependencies anyway, and the state becomes unreadable. So the rollback keeps the
 * dependencies first, and a second run deletes them.
 */

/** Resources to delete, by URN, each with one that stays and needs it. */
type Held = ReadonlyMap<string, string>;

/** Returns the targets that the program deletes. */
export function deletionsOf({ targets, resources }: Declared, before: Deployment): Set<string> {
  const old = entriesOf(before);
  const renamed = new Set(resources.flatMap(({ aliases }) => aliases));
  return new Set(targets.filter((urn) => !old.has(urn) && !renamed.has(urn)));
}

/** Returns the resources to delete on which others in the state depend, each with one of these. */
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

/** Returns the program that restores `before`, and leaves the held resources as they are. */
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
