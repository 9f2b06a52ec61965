import { isDeepStrictEqual } from "node:util";
import { hasRecordState, isGone } from "../providers/engine/flags.js";
import { type Bag, connectionOf, idOf, partsOf } from "../providers/engine/inputs.js";
import { engines } from "../providers/provider.js";
import { type Deployment, type Entry, isOurs, type NotRestored, oursOf, titleOf } from "./deployment.js";
import { inClear, isMasked, labelIn } from "./secrets.js";

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

/** How the reason of an orphan that stays begins. */
const unknown = "it is not known whether it was created";

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
    entries.map((entry) => [labelIn(entry.inputs), connectionOf(inClear(entry.inputs) as Bag)]),
  );
  const notRestored: NotRestored[] = [];
  for (const { urn, inputs = {} } of orphans.toReversed()) {
    const resource = titleOf(urn);
    const host = labelIn(inputs);
    const report = (why: string) => notRestored.push({ resource, urn, host, why: `${unknown}${why}` });
    const engine = engines.get(resource.split(" ")[0] as string);
    if (!engine) {
      report(", and this version of the package does not know it");
      continue;
    }
    // There is nothing to look for.
    if (!engine.definition.record) continue;
    const { connection, ...rest } = inputs;
    if (host === undefined || isMasked(rest)) {
      report(", and its inputs are secret; look at the host");
      continue;
    }
    const { definition } = engine;
    const props: Bag = {
      ...(inClear(rest) as Bag),
      connection: connections.get(host) ?? inClear(connection),
    };
    const id = idOf(definition, props);
    // The resource existed before. A shared thing has several.
    const isIt = ({ type, inputs: of }: Entry) =>
      type.endsWith(`:${definition.kind}`) && (props.shared !== true || of?.owner === props.owner);
    if (entries.some((entry) => entry.id === id && isIt(entry))) continue;
    if (props.adopt === true && !definition.setting) {
      report(", and with adopt: true it is not known what was there before; look at the host");
      continue;
    }
    try {
      onProgress(`looking for ${resource} on ${host}, because ${unknown}`);
      if (definition.setting) {
        await engine.delete(id, props);
        continue;
      }
      const found = ((await engine.read(id, props)) as { props?: Bag }).props;
      // A thing without a record of this stack existed before, or belongs to another owner.
      if (!found || hasRecordState(found, "missing")) continue;
      const [is, wanted] = [found, props].map((one) => partsOf(definition, one).config);
      // Of a thing that is gone the record may be left.
      if (isGone(found) || isDeepStrictEqual(is, wanted)) await engine.delete(id, props);
      else report(" as it is on the host, with a record of this stack; look at the host");
    } catch (error) {
      report(`: ${(error as Error).message}`);
    }
  }
  return notRestored;
}
