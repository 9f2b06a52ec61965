import * as pulumi from "@pulumi/pulumi";
import { closest } from "../src/values/closest.js";
import { type PlacedProblem, placedProblems } from "../src/values/problem.js";
import { checkCluster, clusterErrors, linesOf, stackProblems } from "./check-cluster.js";
import { isMap, type Place } from "./cluster/places.js";
import { clusters, type KindName, kinds } from "./cluster/schema.js";
import type { DrClusterArgs } from "./dr-cluster.js";
import type { NatClusterArgs } from "./nat-cluster.js";
import type { Named } from "./rules/rule.js";
import { unkeptSecrets } from "./secret-places.js";

/** Clusters by name, as in the stack's configuration. */
export type Clusters = Record<string, (Kind<"dr"> & DrClusterArgs) | (Kind<"nat"> & NatClusterArgs)>;

/** The field that names the kind of a cluster. */
interface Kind<Name extends string> {
  /** Forwarding of the cluster: `dr` for LVS/DR, `nat` for LVS/NAT. */
  kind: Name;
}

const isKind = (kind: unknown): kind is KindName => typeof kind === "string" && Object.hasOwn(kinds, kind);

/** Returns the mistakes of one cluster that its schema does not find, and the cluster for the rules of the stack. */
function crossing(name: string, given: unknown): { named?: Named; problems: PlacedProblem[] } {
  const { kind, ...args } = (typeof given === "object" && given !== null ? given : {}) as { kind?: unknown };
  // An unknown kind is the only mistake reported, because its fields are not known.
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
 * is not an IP address`.
 */
export function parseClusters(given: unknown): { clusters: Clusters } | { mistakes: string[] } {
  const parsed = clusters.safeParse(given, { error: clusterErrors });
  const wrong = parsed.error ? placedProblems(parsed.error, ["clusters"]) : [];
  const each = Object.entries(isMap(given) ? given : {}).map(([name, cluster]) => crossing(name, cluster));
  const between = stackProblems(each.flatMap(({ named }) => named ?? []));
  const lines = linesOf([
    ...wrong,
    ...each.flatMap(({ problems }) => problems),
    ...between,
  ] as PlacedProblem[]);
  if (parsed.success && lines.length === 0) return { clusters: parsed.data as Clusters };
  return { mistakes: lines };
}

const stackFile = (): string => `Pulumi.${pulumi.getStack()}.yaml`;

/**
 * Returns what to do if the value is missing, for example if it has the name from this package's examples.
 */
function missing(key: string): string {
  const [wanted, file] = [`${pulumi.getProject()}:${key}`, stackFile()];
  const example = `lvs:${key}`;
  const isUnderExample = new pulumi.Config("lvs").get(key) !== undefined;
  const prefix = `${pulumi.getProject()}:`;
  const others = Object.keys(pulumi.runtime.allConfig() ?? {}).filter((name) => name.startsWith(prefix));
  const near = closest(
    key,
    others.map((name) => name.slice(prefix.length)),
  );
  if (near !== undefined && !isUnderExample)
    return `cannot read the clusters of this stack: ${file} has no ${wanted}; rename ${prefix}${near} to ${wanted}`;
  const remedy = isUnderExample
    ? `the value is under ${example}, and its name must begin with the project's: rename it to ${wanted}`
    : `give clusters there by name, as docs/configuration.md of this package says`;
  return `cannot read the clusters of this stack: ${file} has no ${wanted}; ${remedy}`;
}

/**
 * Reads clusters from the stack's configuration: the value of `clusters` in the project's namespace. Throws
 * an error that lists every mistake with its place. A secret (`pulumi config set --secret`) that state would
 * store in clear text is such a mistake.
 *
 * @example
 * export const vips = Object.entries(lvs.requireClusters()).map(([name, { kind, ...args }]) =>
 *   kind === "dr" ? new lvs.DrCluster(name, args).vips : new lvs.NatCluster(name, args).vips,
 * );
 */
export function requireClusters(key = "clusters"): Clusters {
  const given = new pulumi.Config().getObject(key);
  if (given === undefined) throw new pulumi.RunError(missing(key));
  // This comes first, because the message of a mistake shows the value.
  const secrets = unkeptSecrets(given, key);
  const parsed = secrets.length > 0 ? { mistakes: secrets } : parseClusters(given);
  if ("clusters" in parsed) return parsed.clusters;
  const { length } = parsed.mistakes;
  const lines = [
    `cannot read the clusters of ${stackFile()}: ${length} mistake${length === 1 ? "" : "s"}:`,
    ...parsed.mistakes.map((line) => `  ${line}`),
  ];
  throw new pulumi.RunError(lines.join("\n"));
}
