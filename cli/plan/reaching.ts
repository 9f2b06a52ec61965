import type { automation } from "@pulumi/pulumi";
import type { FindHost } from "../../providers/engine/engine.js";
import { type Bag, connectionOf } from "../../providers/engine/inputs.js";
import { isOurs } from "../../rollback/deployment.js";
import { stateOf } from "../../rollback/pulumi-cli.js";
import { inClear } from "../../rollback/secrets.js";
import { type Host, hostOf } from "../../src/host/host.js";
import { type Connection, type Endpoint, hostLabel, secretFields } from "../../src/ssh/connection.js";
import type { Preview } from "./preview.js";

const isMasked = (value: unknown): boolean => value === "[secret]";

/** Returns a connection with the secrets of another one in place of masked ones, and without the rest of these. */
function revealed<E extends Endpoint>(connection: E, clear: Endpoint | undefined): E {
  const bag = { ...connection } as Bag;
  for (const name of secretFields)
    if (isMasked(bag[name])) {
      delete bag[name];
      const value = clear?.[name];
      if (value !== undefined) bag[name] = value;
    }
  if (connection.proxy) bag.proxy = revealed(connection.proxy, clear?.proxy);
  return bag as unknown as E;
}

/**
 * Returns how to find the hosts of a preview, which masks secrets. Those of connections come from the state. A new host
 * needs a key by reference, or none in the connection.
 */
export async function reaching(
  stack: automation.Stack,
  { steps }: Preview,
): Promise<{ find: FindHost; close: () => void }> {
  const clear = new Map<string, Connection>();
  const isNeeded = steps.some(({ newState, oldState }) =>
    JSON.stringify([newState?.inputs?.connection, oldState?.outputs?.connection]).includes('"[secret]"'),
  );
  if (isNeeded)
    for (const entry of (await stateOf(stack)).resources ?? []) {
      const connection = isOurs(entry) ? connectionOf(inClear(entry.outputs ?? {}) as Bag) : undefined;
      if (typeof connection?.host === "string") clear.set(hostLabel(connection), connection);
    }
  const used = new Set<Host>();
  return {
    find: (connection, label) => {
      const host = hostOf(revealed(connection, clear.get(label)), label);
      used.add(host);
      return host;
    },
    close: () => {
      for (const host of used) host.close();
    },
  };
}
