// Environments of this checkout: their names, and where state and passphrase are.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "./setup/checkout.mjs";

/** Folder of the stacks, unless PULUMI_BACKEND_URL names another backend. */
export const stateDir = join(checkout, ".state");

/** @returns {string} the backend that the user has chosen, or the folder of this checkout */
export const backend = () => process.env.PULUMI_BACKEND_URL || `file://${stateDir}`;

export const isOwnFolder = () => !process.env.PULUMI_BACKEND_URL;

/** @returns {string} the place of the state as a person reads it, without a password */
export function shownBackend() {
  if (isOwnFolder()) return "./.state";
  const url = backend().replace(/\/\/[^/@]*@/, "//");
  return `${url.replace(/([?&]password=)[^&]*/g, "$1…")} (PULUMI_BACKEND_URL)`;
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
