import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { secretFields } from "../src/ssh/connection.js";
import { maxListFile, readRegularFile } from "../src/ssh/read-file.js";
import { showPath } from "../src/values/problem.js";
import type { Place } from "./cluster/places.js";
import { projectFolder } from "./project-folder.js";

/** Returns whether a value in a stack's file comes from `pulumi config set --secret`. */
const isSecure = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  Object.keys(value).length === 1 &&
  typeof (value as { secure?: unknown }).secure === "string";

const entriesOf = (value: object): [string | number, unknown][] =>
  Array.isArray(value) ? value.map((item, i) => [i, item]) : Object.entries(value);

/**
 * Returns the places at which two values differ: `secure: …` in the file, and the text itself in the
 * program's value.
 */
function securePlaces(filed: unknown, given: unknown, at: Place): Place[] | undefined {
  if (isSecure(filed)) return [at];
  if (typeof filed !== "object" || filed === null) return isDeepStrictEqual(filed, given) ? [] : undefined;
  if (typeof given !== "object" || given === null) return undefined;
  if (Object.keys(filed).length !== Object.keys(given).length) return undefined;
  const found: Place[] = [];
  for (const [key, inner] of entriesOf(filed)) {
    if (!Object.hasOwn(given, key)) return undefined;
    const places = securePlaces(inner, (given as Record<string | number, unknown>)[key], [...at, key]);
    if (!places) return undefined;
    found.push(...places);
  }
  return found;
}

/**
 * Returns the places of secrets in a value of the configuration, by the stack's file. Pulumi only gives a
 * program that the value contains one. Returns undefined if the value comes from elsewhere than the file.
 */
export function secretPlaces(
  given: unknown,
  { folder, project, stack, key }: { folder: string; project: string; stack: string; key: string },
): Place[] | undefined {
  const fileOf = (name: string) =>
    ["yaml", "yml", "json"].map((end) => join(folder, `${name}.${end}`)).find((file) => existsSync(file));
  const folderOfStacks = (load(fileOf("Pulumi")) as { stackConfigDir?: string } | undefined)?.stackConfigDir;
  const stackFile = fileOf(join(folderOfStacks ?? "", `Pulumi.${stack}`));
  const { config } = (load(stackFile) ?? {}) as { config?: Record<string, unknown> };
  const filed = config?.[`${project}:${key}`] ?? config?.[`${project}:config:${key}`];
  return filed === undefined ? undefined : securePlaces(filed, given, []);
}

// Reads a stack's file. Pulumi's SDK contains the reader. If a later version does not, no place is known, and
// secrets are refused.
function load(file: string | undefined): unknown {
  if (file === undefined) return undefined;
  try {
    const yaml = createRequire(require.resolve("@pulumi/pulumi"))("js-yaml") as {
      load(text: string): unknown;
    };
    return yaml.load(readRegularFile(file, maxListFile).toString("utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Returns the places of passwords and keys that stand in the file in clear text. `secure` are those that do not.
 */
function clearPlaces(given: unknown, secure: readonly Place[], at: Place = []): Place[] {
  if (typeof given === "string")
    return isKeptSecret(at) && !secure.some((place) => isDeepStrictEqual(place, at)) ? [at] : [];
  if (typeof given !== "object" || given === null) return [];
  return entriesOf(given).flatMap(([key, inner]) => clearPlaces(inner, secure, [...at, key]));
}

/** Returns whether a value at this place stays secret: a secret field of a connection or of a jump host. */
export function isKeptSecret(place: Place): boolean {
  const field = place.at(-1);
  const above = place.slice(0, -1).filter((key) => key !== "proxy");
  return (
    (secretFields as readonly unknown[]).includes(field) &&
    ["connection", "from"].includes(String(above.at(-1)))
  );
}

const only = `${secretFields.join(", ")} of a connection`;

/** Returns whether a value of the configuration contains a secret, or undefined if Pulumi does not report it. */
function hasSecret(key: string): boolean | undefined {
  const { isConfigSecret } = require("@pulumi/pulumi/runtime/config.js") as {
    isConfigSecret?: (key: string) => boolean;
  };
  return isConfigSecret?.(key);
}

/** Returns folders that may contain Pulumi.yaml. Only newer versions of Pulumi report the project's folder. */
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

/** Returns the places of secrets that would not stay secret, each with what to do. Warns of those in clear text. */
export function unkeptSecrets(given: unknown, key: string): string[] {
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
