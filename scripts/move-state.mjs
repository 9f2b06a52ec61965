// Moves the stacks of this checkout from the cache, where they were kept before, to ./.state (`npm run move-state`).
// It deletes nothing, overwrites nothing, and may be repeated after an interruption.
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { stacksIn, stateDir } from "./environments.mjs";
import { oldStateDir, oldStateDirs } from "./pulumi-env.mjs";
import { cacheRoot } from "./setup/cache.mjs";
import { checkout } from "./setup/checkout.mjs";

const { values } = parseArgs({
  options: { from: { type: "string" }, "passphrase-file": { type: "string" } },
});
const config = process.env.XDG_CONFIG_HOME || join(homedir(), ".config");
const from = resolve(values.from ?? oldStateDir());
const keptPassphrase = join(cacheRoot(), "passphrase");
const passphrase = resolve(values["passphrase-file"] ?? join(config, "pulumi-lvs", "passphrase"));

/** A reason not to move; nothing has changed. */
class Refusal extends Error {}

/**
 * @param {string} folder
 * @returns {string[]} every file in it
 */
const filesIn = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true })
        .map(String)
        .filter((file) => statSync(join(folder, file)).isFile())
        .sort()
    : [];

/**
 * @param {string} a
 * @param {string} b
 */
function isSame(a, b) {
  const files = filesIn(a);
  return (
    files.join("\n") === filesIn(b).join("\n") &&
    files.every((file) => readFileSync(join(a, file)).equals(readFileSync(join(b, file))))
  );
}

/** @returns {string} what may be meant instead */
function others() {
  const found = oldStateDirs().map((folder) => `${folder} (${stacksIn(folder).join(", ")})`);
  return found.length > 0 ? `; name one of these by --from: ${found.join("; ")}` : "";
}

const isLocked = (/** @type {string} */ folder) => filesIn(join(folder, ".pulumi", "locks")).length > 0;

function check() {
  if (stacksIn(from).length === 0) throw new Refusal(`there is no stack in ${from}${others()}`);
  if (isLocked(from)) throw new Refusal(`a run holds a lock in ${from}; wait for it, or run pulumi cancel`);
  const present = filesIn(stateDir);
  // Pulumi writes this one as soon as it looks at a backend.
  const isEmpty = present.every((file) => file === join(".pulumi", "meta.yaml"));
  if (!isEmpty && !isSame(from, stateDir))
    throw new Refusal(`${stateDir} has other stacks already (${stacksIn(stateDir).join(", ")})`);
  if (
    existsSync(keptPassphrase) &&
    existsSync(passphrase) &&
    !readFileSync(passphrase).equals(readFileSync(keptPassphrase))
  )
    throw new Refusal(`${passphrase} has another passphrase; name another file by --passphrase-file`);
  return isEmpty;
}

function copyPassphrase() {
  const fresh = `${passphrase}.moving`;
  // A killed run leaves it.
  rmSync(fresh, { force: true });
  if (!existsSync(keptPassphrase) || existsSync(passphrase)) return;
  mkdirSync(dirname(passphrase), { recursive: true, mode: 0o700 });
  writeFileSync(fresh, readFileSync(keptPassphrase), { mode: 0o600 });
  try {
    // It is complete from the first moment, and replaces no file.
    linkSync(fresh, passphrase);
  } finally {
    rmSync(fresh);
  }
}

const fresh = `${stateDir}.moving-${process.pid}`;
process.once("exit", () => rmSync(fresh, { recursive: true, force: true }));

function copyState() {
  // cpSync gives a folder that it makes the mode of the old one.
  mkdirSync(fresh, { mode: 0o700 });
  cpSync(from, fresh, { recursive: true, preserveTimestamps: true });
  if (!isSame(from, fresh)) throw new Refusal(`${from} changes while it is copied; end what uses it`);
  // Only Pulumi's mark of an empty backend can be in it: see `check`.
  rmSync(stateDir, { recursive: true, force: true });
  renameSync(fresh, stateDir);
}

/**
 * Renames the old folder, so that no run can begin in it. A run that began since `check` has a lock or has changed a
 * file: then all is as before.
 *
 * @param {boolean} isCopied whether this process made the copy
 * @returns {string} the new name
 */
function renameOld(isCopied) {
  const kept = `${from}.moved-${Date.now()}`;
  renameSync(from, kept);
  if (!isLocked(kept) && isSame(kept, stateDir)) return kept;
  renameSync(kept, from);
  if (isCopied) renameSync(stateDir, fresh);
  throw new Refusal(`a run began in ${from} while it was copied; wait for it, and repeat this`);
}

function main() {
  // A killed run leaves its copy, which is never complete for certain.
  for (const name of readdirSync(checkout))
    if (/^\.state\.moving-\d+$/.test(name)) rmSync(join(checkout, name), { recursive: true });
  const toCopy = check();
  const stacks = stacksIn(from).join(", ");
  copyPassphrase();
  if (toCopy) copyState();
  chmodSync(stateDir, 0o700);
  const kept = renameOld(toCopy);
  console.log(`moved ${stacks} to ./.state, which git ignores: keep a backup of it`);
  console.log(`the old folder is ${kept}; delete it when a preview shows no unexpected change`);
  if (existsSync(passphrase))
    console.log(`passphrase: export PULUMI_CONFIG_PASSPHRASE_FILE=${passphrase}, and keep a copy elsewhere`);
}

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
try {
  main();
} catch (error) {
  const { message } = /** @type {Error} */ (error);
  console.error(`cannot move the state: ${message}; nothing was changed in ${from}`);
  process.exitCode = 1;
}
