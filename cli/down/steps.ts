import { connectionOf } from "../../providers/engine/inputs.js";
import { type Entry, hostIn, isOurs } from "../../rollback/deployment.js";
import { hostLabel } from "../../src/ssh/connection.js";
import type { ClustersPreview, PreviewStep } from "../plan/preview.js";

/** Returns the host of a resource, which the id of ours begins with, or the one that it would get. */
export function hostOf(entry: Entry): string | undefined {
  const connection = entry.inputs && connectionOf(entry.inputs);
  const own = isOurs(entry) ? hostIn(entry.id) : undefined;
  return own ?? (typeof connection?.host === "string" ? hostLabel(connection) : undefined);
}

export const hostsOf = ({ oldState, newState }: PreviewStep): string[] =>
  [oldState, newState].flatMap((entry) => (entry ? (hostOf(entry) ?? []) : []));

/** Returns the URN of the cluster that a resource belongs to, or belonged to. */
export const clusterOfStep = (
  { oldState, newState }: PreviewStep,
  { clusters }: ClustersPreview,
): string | undefined =>
  [newState?.parent, oldState?.parent].find((urn) => urn !== undefined && clusters.has(urn));
