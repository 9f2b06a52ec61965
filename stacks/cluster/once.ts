import * as pulumi from "@pulumi/pulumi";
import { addressOf, hostOf } from "./places.js";

const programs = new WeakMap<object, Map<unknown, Map<string, pulumi.Resource>>>();

/**
 * Returns the resource of a thing on a host that clusters of one stack share, such as a VIP. The first cluster
 * declares it, and the others refer to it. The rules of a stack hold their arguments together.
 */
export function once<Made extends pulumi.Resource>(
  kind: unknown,
  [connection, ...key]: readonly unknown[],
  make: () => Made,
): Made {
  const run = pulumi.runtime.getMonitor();
  const host = hostOf(connection);
  // What is not known while the program runs is not shared.
  if (!run || host === undefined || key.some((part) => typeof part !== "string")) return make();
  const kinds = programs.get(run) ?? new Map<unknown, Map<string, pulumi.Resource>>();
  programs.set(run, kinds);
  const made = kinds.get(kind) ?? new Map<string, pulumi.Resource>();
  kinds.set(kind, made);
  const id = JSON.stringify([host, ...key.map((part) => addressOf(part) ?? part)]);
  const resource = (made.get(id) as Made | undefined) ?? make();
  made.set(id, resource);
  return resource;
}
