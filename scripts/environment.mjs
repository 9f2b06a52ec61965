// Short forms: npm run up -- ENV, npm run preview -- ENV. Flags after ENV go to Pulumi.
import { spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";
import {
  environments,
  isOwnFolder,
  needsPassphrase,
  passphraseAdvice,
  passphraseFrom,
  shownBackend,
  stacksIn,
  stateDir,
} from "./environments.mjs";
import { checkoutEnv, oldStateDir, oldStateDirs } from "./pulumi-env.mjs";
import { checkout } from "./setup/checkout.mjs";
import { findPulumi } from "./setup/pulumi.mjs";

const [verb = "", name = "", ...flags] = process.argv.slice(2);

/**
 * @param {string} why
 * @param {number} [code]
 * @returns {never}
 */
function refuse(why, code = 2) {
  console.error(why);
  process.exit(code);
}

const hasStack = (/** @type {string} */ folder) =>
  stacksIn(folder).some((stack) => stack.split("/").at(-1) === name);

/** @returns {string} why the environment cannot be used, or nothing */
function problem() {
  const all = environments();
  const known = `the environments are ${all.join(", ")}`;
  if (!name || name.startsWith("-"))
    return `cannot ${verb}: no environment is named; write npm run ${verb} -- ENV; ${known}`;
  if (!all.includes(name))
    return `cannot ${verb} ${name}: there is no Pulumi.${name}.yaml (Pulumi.example.yaml is one to copy); ${known}`;
  if (!findPulumi()) return `cannot ${verb} ${name}: there is no Pulumi CLI; run node scripts/setup.mjs`;
  if (isOwnFolder() && hasStack(oldStateDir()) && !hasStack(stateDir))
    return `cannot ${verb} ${name}: its state is in ${oldStateDir()}, where a cleaned cache loses it; run npm run move-state`;
  if (needsPassphrase(name) && !passphraseFrom())
    return `cannot ${verb} ${name}: no passphrase is set, by which its secrets are encrypted; ${passphraseAdvice}`;
  return "";
}

/** @param {readonly string[]} args */
function pulumi(args) {
  const { status, stdout, stderr, error } = spawnSync("pulumi", [...args, "--non-interactive"], {
    cwd: checkout,
    env,
    encoding: "utf8",
  });
  if (error) refuse(`cannot ${verb} ${name}: ${error.message}`, 1);
  return { code: status ?? 1, text: (stderr || stdout).trim() };
}

function createIfMissing() {
  const found = pulumi(["stack", "--show-name", "--stack", name]);
  if (found.code === 0) return;
  if (!/no stack named/.test(found.text)) refuse(found.text, found.code);
  const made = pulumi(["stack", "init", name, "--no-select"]);
  if (made.code !== 0) refuse(made.text, made.code);
  console.error(`${name}: there was no such stack, so a new one was made`);
  // A checkout that was moved has its former stack under the hash of its former path.
  const older = isOwnFolder() ? oldStateDirs().filter(hasStack) : [];
  if (older.length > 0)
    console.error(
      `${name}: if this checkout was moved, its stack may be in ${older.join(" or ")}; docs/state.md says how to move it`,
    );
}

const why = problem();
if (why) refuse(why);
const env = { ...process.env, ...checkoutEnv() };
const passphrase = needsPassphrase(name) ? `, passphrase of ${passphraseFrom()}` : "";
console.error(`${name}: state in ${shownBackend()}${passphrase}`);
createIfMissing();
const child = spawn("pulumi", [verb, "--stack", name, ...flags], { cwd: checkout, env, stdio: "inherit" });
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]))
  process.on(signal, () => {
    // A terminal sends Ctrl-C to Pulumi too, and a second one ends it at once.
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  });
child.on("error", (error) => refuse(`cannot ${verb} ${name}: ${error.message}`, 1));
child.on("close", (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0)));
