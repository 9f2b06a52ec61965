import { isDeepStrictEqual } from "node:util";
import { Engine } from "../../providers/engine.js";
import * as classes from "../../providers/index.js";
import { type Bag, idOf, partsOf } from "../../providers/inputs.js";
import { hostLabel } from "../../src/connection.js";
import { hostOf } from "../../src/host.js";
import { type Deployment, type Left, oursOf, titleOf } from "./deployment.js";
import { inClear } from "./secrets.js";
import type { Trouble } from "./watch.js";

const engines = new Map(
  Object.values(classes).map(({ definition }) => [
    definition.kind,
    { definition, engine: new Engine(definition, hostOf) },
  ]),
);

/**
 * What was being created when the link broke may be on its host, and is not in state, so Pulumi cannot take it away. It is
 * looked for, and deleted where it is as it was asked for and bears this stack's mark. Returns what could not be settled.
 */
export async function orphansGone(
  troubles: readonly Trouble[],
  known: readonly Deployment[],
  say: (line: string) => void,
): Promise<Left[]> {
  const entries = known.flatMap((deployment) => [...oursOf(deployment).values()]);
  const connections = new Map<string, Bag>();
  for (const { inputs } of entries) {
    const connection = inClear(inputs?.connection) as Bag | undefined;
    if (connection?.host) connections.set(hostLabel(connection as never), connection);
  }
  const left: Left[] = [];
  for (const { urn, op, inputs, uncertain } of troubles.toReversed()) {
    if (!uncertain || !op.startsWith("create")) continue;
    const resource = titleOf(urn);
    const kind = engines.get(resource.split(" ")[0] as string);
    const wanted = inClear(inputs) as Bag;
    const connection = wanted.connection as Bag | undefined;
    const host = connection?.host ? hostLabel(connection as never) : undefined;
    const unsettled = (why: string) => left.push({ resource, urn, host, why });
    const reach = complete(connection, connections.get(host ?? ""));
    if (!kind || !reach) {
      unsettled(
        "the link broke while it was created, and how to reach its host is not in state; look there, remove it, or create it again, which takes it over",
      );
      continue;
    }
    const { definition, engine } = kind;
    const props = { ...wanted, connection: reach };
    const id = idOf(definition, props);
    // it is one of those that were there before
    if (entries.some((entry) => entry.id === id && entry.type.endsWith(`:${definition.kind}`))) continue;
    if (wanted.adopt === true && !definition.setting) {
      unsettled(
        "the link broke while it was taken over (adopt: true), and what was there before is not known; look at the host",
      );
      continue;
    }
    try {
      say(`looking for ${resource} on ${host}, because the link broke while it was created`);
      const found = definition.setting
        ? undefined
        : ((await engine.read(id, props)) as { props?: Bag }).props;
      const asAsked =
        found && isDeepStrictEqual(partsOf(definition, found).config, partsOf(definition, props).config);
      // what does not bear this stack's mark was there before, or is somebody else's
      if (definition.setting || (asAsked && found.unmarked === undefined)) await engine.delete(id, props);
    } catch (error) {
      unsettled((error as Error).message);
    }
  }
  return left;
}

/** The connection with its masked fields as another resource of the host has them; undefined where one is missing. */
function complete(connection: Bag | undefined, other: Bag | undefined): Bag | undefined {
  if (!connection?.host) return undefined;
  const filled = Object.entries(connection).map(([name, value]): [string, unknown] => {
    if (name === "proxy") return [name, complete(value as Bag, other?.proxy as Bag | undefined)];
    return [name, value === undefined ? other?.[name] : value];
  });
  return filled.every(([, value]) => value !== undefined) ? Object.fromEntries(filled) : undefined;
}
