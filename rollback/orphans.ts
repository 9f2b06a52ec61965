import { isDeepStrictEqual } from "node:util";
import { hasRecordState } from "../providers/engine/flags.js";
import { type Bag, connectionOf, idOf, partsOf } from "../providers/engine/inputs.js";
import { engines } from "../providers/provider.js";
import { hostLabel } from "../src/ssh/connection.js";
import { type Deployment, type Entry, isOurs, type NotRestored, oursOf, titleOf } from "./deployment.js";
import { inClear } from "./secrets.js";

/** A resource that may exist on its host, and that state lacks. */
type Orphan = Pick<Entry, "urn" | "inputs">;

/**
 * Returns the resources that a killed run of Pulumi was creating. They may exist on their hosts, and state
 * has only the intention.
 */
export const interruptedCreations = ({ pending_operations = [] }: Deployment): Orphan[] =>
  pending_operations
    .filter(({ resource, type }) => isOurs(resource) && type === "creating")
    .map(({ resource }) => resource);

/**
 * Deletes those that exist on their hosts as declared and have a record of this stack. Returns those
 * with an unknown result.
 */
export async function deleteOrphans(
  orphans: readonly Orphan[],
  known: readonly Deployment[],
  onProgress: (line: string) => void,
): Promise<NotRestored[]> {
  const entries = known.flatMap((deployment) => [...oursOf(deployment).values()]);
  // The events of the engine mask secrets. State has them.
  const connections = new Map(
    entries.map((entry) => {
      const connection = connectionOf(inClear(entry.inputs) as Bag);
      return [hostLabel(connection), connection];
    }),
  );
  const notRestored: NotRestored[] = [];
  for (const { urn, inputs } of orphans.toReversed()) {
    const resource = titleOf(urn);
    const engine = engines.get(resource.split(" ")[0] as string);
    if (!engine) {
      const why =
        "a process of Pulumi was killed while it was created, and this version of the package does not know it";
      notRestored.push({ resource, urn, host: undefined, why });
      continue;
    }
    const { definition } = engine;
    const masked = inClear(inputs) as Bag;
    const host = hostLabel(connectionOf(masked));
    const props: Bag = { ...masked, connection: connections.get(host) ?? masked.connection };
    const report = (why: string) => notRestored.push({ resource, urn, host, why });
    const id = idOf(definition, props);
    // The resource existed before. A shared thing has several.
    const isIt = ({ type, inputs: of }: Entry) =>
      type.endsWith(`:${definition.kind}`) && (props.shared !== true || of?.owner === props.owner);
    if (entries.some((entry) => entry.id === id && isIt(entry))) continue;
    if (props.adopt === true && !definition.setting) {
      report(
        "a process of Pulumi was killed while it was taken over (adopt: true), and what was there before is not known; look at the host",
      );
      continue;
    }
    try {
      onProgress(
        `looking for ${resource} on ${host}, because a process of Pulumi was killed while it was created`,
      );
      const found = definition.setting
        ? undefined
        : ((await engine.read(id, props)) as { props?: Bag }).props;
      const isAsDeclared =
        found && isDeepStrictEqual(partsOf(definition, found).config, partsOf(definition, props).config);
      // A thing without a record of this stack existed before, or belongs to another owner.
      if (definition.setting || (isAsDeclared && !hasRecordState(found, "missing")))
        await engine.delete(id, props);
    } catch (error) {
      report((error as Error).message);
    }
  }
  return notRestored;
}
