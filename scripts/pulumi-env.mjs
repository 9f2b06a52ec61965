// Prints the environment for working with Pulumi in this checkout by hand: `eval "$(node scripts/pulumi-env.mjs)"`.
// It says on standard error where the state is, and what to set if there is no passphrase.
// With --demo that of `npm run demo -- --keep`: its stacks, and the lab's hosts.
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  backend,
  isOwnFolder,
  stateDir as ownState,
  passphraseAdvice,
  passphraseFrom,
  shownBackend,
  stacksIn,
} from "./environments.mjs";
import { cacheRoot } from "./setup/cache.mjs";
import { checkout } from "./setup/checkout.mjs";
import { findPulumi } from "./setup/pulumi.mjs";

/** @returns {string} what the secrets of demo and tests are encrypted with; made once */
function passphrase() {
  const file = join(cacheRoot(), "passphrase");
  try {
    return readFileSync(file, "utf8");
  } catch {
    const fresh = `${file}.${process.pid}`;
    writeFileSync(fresh, randomBytes(32).toString("base64url"), { mode: 0o600 });
    try {
      // Complete from the first moment, and refused if another process was first.
      linkSync(fresh, file);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    } finally {
      rmSync(fresh);
    }
    return readFileSync(file, "utf8");
  }
}

/** @returns {string} PATH with the CLI first, then the Node of this checkout */
function path() {
  const first = [findPulumi()?.bin, join(checkout, "node_modules", ".bin")].filter(
    (folder) => folder !== undefined,
  );
  const rest = (process.env.PATH ?? "").split(delimiter).filter((folder) => !first.includes(folder));
  return [...first, ...rest].join(delimiter);
}

/** @param {string} kind */
const ownDir = (kind) =>
  join(cacheRoot(), kind, createHash("sha256").update(checkout).digest("hex").slice(0, 12));

/** Settings of every CLI that runs here. */
const quiet = { PULUMI_SKIP_UPDATE_CHECK: "true", PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" };

/**
 * @param {string} stateDir
 * @returns {import("./pulumi-env.d.mts").PulumiEnv}
 */
export function pulumiEnv(stateDir) {
  const home = join(cacheRoot(), "pulumi-home");
  for (const dir of [stateDir, home]) mkdirSync(dir, { recursive: true });
  return {
    PATH: path(),
    PULUMI_BACKEND_URL: `file://${stateDir}`,
    PULUMI_CONFIG_PASSPHRASE: passphrase(),
    PULUMI_HOME: home,
    ...quiet,
  };
}

/**
 * Returns the environment for the user's own stacks: no passphrase is made, and Pulumi's home is the user's.
 *
 * @returns {Record<string, string>}
 */
export function checkoutEnv() {
  if (isOwnFolder()) mkdirSync(ownState, { recursive: true, mode: 0o700 });
  return { PATH: path(), PULUMI_BACKEND_URL: backend(), ...quiet };
}

/** @returns {string} where the stacks of this checkout were kept before; it may not exist */
export const oldStateDir = () => ownDir("state");

/** @returns {string[]} such folders with stacks: of other checkouts, or of this one before it was moved */
export function oldStateDirs() {
  const root = dirname(oldStateDir());
  const folders = existsSync(root) ? readdirSync(root).map((name) => join(root, name)) : [];
  return folders.filter((folder) => !/\.moved-\d+$/.test(folder) && stacksIn(folder).length > 0);
}

/** @returns {string} */
export const demoDir = () => ownDir("demo");

/** @returns {import("./pulumi-env.d.mts").DemoEnv} */
export function demoEnv() {
  return { ...pulumiEnv(join(demoDir(), "state")), LVS_SSH_CONFIG: join(demoDir(), "ssh_config") };
}

const quoted = (/** @type {string} */ value) => `'${value.replaceAll("'", "'\\''")}'`;

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const demo = process.argv.includes("--demo");
  if (demo && !existsSync(demoDir())) console.error("no demo yet: npm run demo -- --keep");
  else if (!demo) {
    console.error(`state: ${shownBackend()}`);
    if (!passphraseFrom()) console.error(`no passphrase is set: ${passphraseAdvice}`);
  }
  for (const [name, value] of Object.entries(demo ? demoEnv() : checkoutEnv()))
    console.log(`export ${name}=${quoted(value)}`);
  if (!findPulumi()) console.error("no Pulumi CLI yet: run node scripts/setup.mjs");
}
