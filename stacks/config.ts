import { type PlacedProblem, placedProblems } from "../src/values/problem.js";
import { checkCluster, clusterErrors, linesOf, stackProblems } from "./check-cluster.js";
import type { Place } from "./cluster/model.js";
import { clusters, type KindName, kinds } from "./cluster/schema.js";
import type { DrClusterArgs } from "./dr-cluster.js";
import type { NatClusterArgs } from "./nat-cluster.js";
import type { Named } from "./rules/stack.js";

/** Clusters by name, as in the stack's configuration. */
export type Clusters = Record<string, (Kind<"dr"> & DrClusterArgs) | (Kind<"nat"> & NatClusterArgs)>;

/** The field that tells the kinds of clusters apart. */
interface Kind<Name extends string> {
  /** Forwarding of the cluster: `dr` for LVS/DR, `nat` for LVS/NAT. */
  kind: Name;
}

const isKind = (kind: unknown): kind is KindName => typeof kind === "string" && Object.hasOwn(kinds, kind);

/** Returns the mistakes of one cluster beyond its schema, and the cluster for the rules of the stack. */
function crossing(name: string, given: unknown): { named?: Named; problems: PlacedProblem[] } {
  const { kind, ...args } = (typeof given === "object" && given !== null ? given : {}) as { kind?: unknown };
  // Of a kind that is none only the kind is a mistake. Which fields it has is not known.
  if (!isKind(kind)) return { problems: [] };
  const under: Place = ["clusters", name];
  const { view, problems } = checkCluster(kind, args);
  return {
    named: { under, view },
    problems: problems.map(({ at, reason }) => ({ at: [...under, ...at], reason })),
  };
}

/**
 * Returns the clusters, or every mistake with its place: `clusters.web.realServers[1].address: "10.0.0.300"
 * is no IP address`.
 */
export function parseClusters(given: unknown): { clusters: Clusters } | { mistakes: string[] } {
  const parsed = clusters.safeParse(given, { error: clusterErrors });
  const wrong = parsed.error ? placedProblems(parsed.error, ["clusters"]) : [];
  const isMap = typeof given === "object" && given !== null && !Array.isArray(given);
  const each = Object.entries(isMap ? given : {}).map(([name, cluster]) => crossing(name, cluster));
  const between = stackProblems(each.flatMap(({ named }) => named ?? []));
  const lines = linesOf([
    ...wrong,
    ...each.flatMap(({ problems }) => problems),
    ...between,
  ] as PlacedProblem[]);
  if (parsed.success && lines.length === 0) return { clusters: parsed.data as Clusters };
  return { mistakes: lines };
}
