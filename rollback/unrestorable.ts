import { hasRecordState } from "../providers/engine/flags.js";
import { type Deployment, type Entry, entriesOf, isOurs, isPart, titleOf } from "./deployment.js";
import { isOnHost } from "./kinds.js";

/**
 * Returns the pulumi-lvs resources that cannot be rolled back, by URN, with the reason. Another package's
 * resource depends on them, and a rollback neither deletes nor makes that. Or their parent of another package
 * was deleted, or the update adopted them.
 */
export function unrestorable(before: Deployment, now: Deployment): Map<string, string> {
  const [old, present] = [entriesOf(before), entriesOf(now)];
  const reasons = new Map<string, string>();

  const keep = (urn: string, why: (urn: string) => string): void => {
    const entry = present.get(urn);
    if (!entry || !isPart(entry) || old.has(urn) || reasons.has(urn) || isRenamed(entry)) return;
    reasons.set(urn, why(urn));
    for (const need of needsOf(entry)) keep(need, why);
  };
  const isRenamed = (entry: Entry): boolean =>
    // Several resources have a shared thing, and each is its own.
    entry.outputs?.shared !== true &&
    isOnHost(entry) &&
    entry.id !== undefined &&
    [...old.values()].some(({ type, id }) => type === entry.type && id === entry.id);
  for (const entry of present.values())
    if (!isPart(entry))
      for (const urn of needsOf(entry))
        keep(
          urn,
          (it) =>
            `${titleOf(entry.urn)} needs it, and is not a resource of this package; to take both away: pulumi destroy --target '${it}' --target-dependents`,
        );
  for (const entry of present.values())
    if (hasRecordState(entry.outputs ?? {}, "adopted"))
      keep(
        entry.urn,
        () =>
          `${titleOf(entry.urn)} was there before the update took it over, and stays on its host; to let go of it: pulumi state delete '${entry.urn}'`,
      );

  for (const entry of old.values()) {
    const parent = isPart(entry) && deletedParent(entry, old, present);
    if (parent)
      reasons.set(
        entry.urn,
        `it was a part of ${titleOf(parent.urn)}, which is not a resource of this package and was deleted`,
      );
  }
  return reasons;
}

/** Returns the URNs that have to be in the state with an entry. */
export const needsOf = ({
  parent,
  dependencies = [],
  propertyDependencies = {},
  deletedWith,
}: Entry): readonly string[] => [
  ...dependencies,
  ...Object.values(propertyDependencies).flatMap((urns) => urns ?? []),
  ...[parent, deletedWith].filter((urn) => urn !== undefined),
];

/**
 * Returns the deleted parent of an entry that belongs to another package. A component does not count, because
 * making it again changes nothing.
 */
function deletedParent(
  entry: Entry,
  old: ReadonlyMap<string, Entry>,
  present: ReadonlyMap<string, Entry>,
): Entry | undefined {
  const place = old.get(entry.parent ?? "");
  if (!place) return undefined;
  if (place.custom && !place.external && !isOurs(place) && !present.has(place.urn)) return place;
  return deletedParent(place, old, present);
}
