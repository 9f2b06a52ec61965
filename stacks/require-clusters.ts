import * as pulumi from "@pulumi/pulumi";
import { secretFields } from "../src/ssh/connection.js";
import { closest } from "../src/values/closest.js";
import { showPath } from "../src/values/problem.js";
import { type Clusters, parseClusters } from "./config.js";
import { projectFolder } from "./project-folder.js";
import { clearPlaces, isKeptSecret, type Place, secretPlaces } from "./secret-places.js";

const only = `${secretFields.join(", ")} of a connection`;

/** Returns whether a value of the configuration contains a secret, or undefined if Pulumi does not tell. */
function hasSecret(key: string): boolean | undefined {
  const { isConfigSecret } = require("@pulumi/pulumi/runtime/config.js") as {
    isConfigSecret?: (key: string) => boolean;
  };
  return isConfigSecret?.(key);
}

/** Returns folders that may contain Pulumi.yaml. Only newer versions of Pulumi tell the project's folder. */
const folders = (): string[] =>
  [pulumi.getRootDirectory?.(), projectFolder(process.cwd())].filter((folder) => folder !== undefined);

/** Returns the places of secrets in the value, or undefined if the stack's file does not show them. */
function secretsIn(given: unknown, key: string, isSecret: boolean | undefined): Place[] | undefined {
  if (isSecret === false) return [];
  const [project, stack] = [pulumi.getProject(), pulumi.getStack()];
  return folders()
    .map((folder) => secretPlaces(given, { folder, project, stack, key }))
    .find((found) => found !== undefined);
}

/** Warns of each password or key that stands in the stack's file in clear text. */
function warnOfClear(given: unknown, key: string, places: readonly Place[]): void {
  for (const place of clearPlaces(given, places)) {
    const path = showPath([key, ...place]);
    const reference = `${String(place.at(-1))}Env`;
    void pulumi.log.warn(
      `${path}: stands in clear text in Pulumi.${pulumi.getStack()}.yaml; write ${reference}, the name of an environment variable, or run: pulumi config set --secret --path '${pulumi.getProject()}:${path}'`,
    );
  }
}

/** Returns the places of secrets that would not stay secret, each with what to do. */
function unkept(given: unknown, key: string): string[] {
  const [project, stack] = [pulumi.getProject(), pulumi.getStack()];
  const isSecret = hasSecret(`${project}:${key}`);
  const places = secretsIn(given, key, isSecret);
  if (places) warnOfClear(given, key, places);
  if (isSecret === false) return [];
  if (!places || (isSecret && places.length === 0))
    return [
      `${key}: has a secret, and Pulumi.${stack}.yaml does not show where; give passwords and keys by passwordEnv, privateKeyEnv or privateKeyPath`,
    ];
  return places
    .filter((place) => !isKeptSecret(place))
    .map(
      (place) =>
        `${showPath([key, ...place])}: is a secret, and only ${only} are kept secret; set it without --secret`,
    );
}

/**
 * Returns what to do if the value is missing, for example if it has the name from this package's examples.
 */
function missing(key: string): string {
  const [wanted, file] = [`${pulumi.getProject()}:${key}`, `Pulumi.${pulumi.getStack()}.yaml`];
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
  const secrets = unkept(given, key);
  const parsed = secrets.length > 0 ? { mistakes: secrets } : parseClusters(given);
  if ("clusters" in parsed) return parsed.clusters;
  throw new pulumi.RunError(
    `the configuration is not right:\n${parsed.mistakes.map((line) => `  ${line}`).join("\n")}`,
  );
}
