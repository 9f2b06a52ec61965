// Environments of this checkout: their names, and where state and passphrase are.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "./setup/checkout.mjs";

/** Folder of the stacks, unless the user has chosen another backend. */
export const stateDir = join(checkout, ".state");

/** @returns {{ url: string, by: string } | undefined} the backend that the user has chosen, and where */
function chosen() {
  const { PULUMI_BACKEND_URL } = process.env;
  if (PULUMI_BACKEND_URL) return { url: PULUMI_BACKEND_URL, by: "PULUMI_BACKEND_URL" };
  const project = join(checkout, "Pulumi.yaml");
  const text = existsSync(project) ? readFileSync(project, "utf8") : "";
  const [, url] = /^backend:\s*\n(?:\s*#.*\n)*\s+url:\s*["']?([^\s"']+)/m.exec(text) ?? [];
  return url ? { url, by: "Pulumi.yaml" } : undefined;
}

/** @returns {string} the chosen backend, or the folder of this checkout */
export const backend = () => chosen()?.url ?? `file://${stateDir}`;

export const isOwnFolder = () => chosen() === undefined;

/** @returns {string} the place of the state as a person reads it, without a password */
export function shownBackend() {
  const { url, by } = chosen() ?? {};
  if (!url) return "./.state";
  // A password may have an "@". rollback/saved-state.ts does the same, but scripts run before the build.
  const shown = url.replace(/\/\/[^/?#]*@/, "//").replace(/([?&]password=)[^&]*/g, "$1…");
  return `${shown} (${by})`;
}

/** @returns {string[]} the environments that exist: all files Pulumi.NAME.yaml but the example */
export const environments = () =>
  readdirSync(checkout)
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .filter((name) => name !== "example")
    .sort();

/** @returns {string | undefined} the variable that gives the passphrase; an empty one is a choice, too */
export const passphraseFrom = () =>
  ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"].find(
    (name) => process.env[name] !== undefined,
  );

/** What to do where no passphrase is given. There is no default, because a default is no secret or is lost. */
export const passphraseAdvice =
  "set PULUMI_CONFIG_PASSPHRASE_FILE to a file with a passphrase of yours, or PULUMI_CONFIG_PASSPHRASE to the passphrase, and keep a copy elsewhere";

/**
 * @param {string} name
 * @returns {boolean} whether the secrets of an environment are encrypted by a passphrase
 */
export function needsPassphrase(name) {
  const text = readFileSync(join(checkout, `Pulumi.${name}.yaml`), "utf8");
  const [, provider = "default"] = /^secretsprovider:\s*["']?([^\s"'#]+)/m.exec(text) ?? [];
  if (!["default", "passphrase"].includes(provider)) return false;
  return !/^https?:/.test(backend()) || provider === "passphrase" || /^encryptionsalt:/m.test(text);
}

/**
 * @param {string} folder of a backend of files
 * @returns {string[]} its stacks, such as "lvs/prod"
 */
export function stacksIn(folder) {
  const stacks = join(folder, ".pulumi", "stacks");
  if (!existsSync(stacks)) return [];
  return readdirSync(stacks, { recursive: true })
    .flatMap((file) => /^(.*)\.json(\.gz|\.zst)?$/.exec(String(file))?.[1] ?? [])
    .sort();
}
