import { type Deployment, type Entry, entriesOf, isOurCluster, isOurs, titleOf } from "./deployment.js";

/**
 * Resources of ours that cannot go back, by URN, and why: somebody else's, which nobody here deletes or makes, needs what the
 * update made, or was deleted though ours were parts of it; or what the update took over was there before.
 */
export function heldByOthers(before: Deployment, now: Deployment): Map<string, string> {
  const [old, present] = [entriesOf(before), entriesOf(now)];
  const held = new Map<string, string>();

  const hold = (urn: string, why: (urn: string) => string): void => {
    const entry = present.get(urn);
    if (!entry || !isPart(entry) || old.has(urn) || held.has(urn) || isRenamed(entry)) return;
    held.set(urn, why(urn));
    for (const need of needsOf(entry)) hold(need, why);
  };
  const isRenamed = ({ type, id }: Entry): boolean =>
    id !== undefined && [...old.values()].some((was) => was.type === type && was.id === id);
  for (const entry of present.values())
    if (!isPart(entry))
      for (const urn of needsOf(entry))
        hold(
          urn,
          (it) =>
            `${titleOf(entry.urn)} needs it, and is no resource of this package; to take both away: pulumi destroy --target '${it}' --target-dependents`,
        );
  for (const entry of present.values())
    if (entry.outputs?.adopted === true)
      hold(
        entry.urn,
        () =>
          `${titleOf(entry.urn)} was there before the update took it over, and stays on its host; to let go of it: pulumi state delete '${entry.urn}'`,
      );

  for (const entry of old.values()) {
    const place = isPart(entry) && lostPlace(entry, old, present);
    if (place)
      held.set(
        entry.urn,
        `it was a part of ${titleOf(place.urn)}, which is no resource of this package and was deleted`,
      );
  }
  return held;
}

const isPart = (entry: Entry): boolean => isOurs(entry) || isOurCluster(entry);

const needsOf = ({
  parent,
  dependencies = [],
  propertyDependencies = {},
  deletedWith,
}: Entry): readonly string[] => [
  ...dependencies,
  ...Object.values(propertyDependencies).flatMap((urns) => urns ?? []),
  ...[parent, deletedWith].filter((urn) => urn !== undefined),
];

/** What is not there any more of somebody else's resources that an entry was within; a component is made again for nothing. */
function lostPlace(
  entry: Entry,
  old: ReadonlyMap<string, Entry>,
  present: ReadonlyMap<string, Entry>,
): Entry | undefined {
  const place = old.get(entry.parent ?? "");
  if (!place) return undefined;
  if (place.custom && !place.external && !isOurs(place) && !present.has(place.urn)) return place;
  return lostPlace(place, old, present);
}
