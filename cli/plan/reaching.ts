import type { automation } from "@pulumi/pulumi";
import { type Bag, connectionOf } from "../../providers/engine/inputs.js";
import type { FindHost } from "../../providers/engine/runner.js";
import { type Entry, isOurs } from "../../rollback/deployment.js";
import { stateOf } from "../../rollback/pulumi-cli.js";
import { inClear } from "../../rollback/secrets.js";
import { type Host, hostOf } from "../../src/host/host.js";
import type { Connection } from "../../src/ssh/connection.js";
import { hasMask, type Preview } from "./preview.js";
import { revealed } from "./revealed.js";

/**
 * Returns how to find the hosts of a preview, which masks secrets. Those of connections come from the state. A new host
 * needs a key by reference, or none in the connection.
 */
export async function reaching(
  stack: automation.Stack,
  { steps }: Preview,
): Promise<{ find: FindHost; close: () => void }> {
  const ours = steps.flatMap(({ newState, oldState }) =>
    [newState?.inputs, oldState?.outputs].filter(() => isOurs((newState ?? oldState) as Entry)),
  );
  const isNeeded = hasMask(ours.map((bag) => bag?.connection));
  const entries = isNeeded ? ((await stateOf(stack)).resources ?? []) : [];
  const known = entries.flatMap((entry): Connection[] => {
    const connection = isOurs(entry) ? connectionOf(inClear(entry.outputs ?? {}) as Bag) : undefined;
    return typeof connection?.host === "string" ? [connection] : [];
  });
  const used = new Set<Host>();
  return {
    find: (connection, label) => {
      const host = hostOf(revealed(connection, known), label);
      used.add(host);
      return host;
    },
    close: () => {
      for (const host of used) host.close();
    },
  };
}
