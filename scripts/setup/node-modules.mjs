import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { checkout } from "./checkout.mjs";
import { run } from "./run.mjs";
import { print, step } from "./step.mjs";

/** @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockedPackage */

const oldestNode = 22;

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage> | undefined}
 */
function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(join(checkout, file), "utf8")).packages;
  } catch {
    return undefined;
  }
}

/** @returns {boolean} whether node_modules holds what package-lock.json requires */
function isCurrent() {
  const wanted = packagesIn("package-lock.json");
  // npm writes down here what it put in place. Contents are compared, since git gives files any date.
  const installed = packagesIn("node_modules/.package-lock.json");
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    if (path === "") return true;
    const found = installed[path];
    // Binaries for other platforms are locked but never installed.
    if (!found) return optional === true;
    return found.version === version && (!integrity || found.integrity === integrity);
  });
}

/** Environment without our own node_modules/.bin on PATH: npm must not run on the node that it is replacing. */
function outsideEnv() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const PATH = folders.filter((folder) => !folder.endsWith(join("node_modules", ".bin"))).join(delimiter);
  return { ...process.env, PATH };
}

async function checkNode() {
  const node = join(checkout, "node_modules", ".bin", "node");
  const version = await run(node, ["--version"]).catch(() => "");
  if (Number(/^v(\d+)/.exec(version)?.[1]) >= oldestNode) return;
  print(
    `${version.trim() || "nothing"} runs as node_modules/.bin/node where Node ${oldestNode} or newer is needed; ` +
      "npm has held back the install script of the package `node`: run npm rebuild node",
  );
}

/** @param {readonly string[]} command */
async function npm(...command) {
  await step(`installing npm packages into node_modules (npm ${command.join(" ")})`, () =>
    run("npm", [...command, "--no-audit", "--no-fund"], { cwd: checkout, env: outsideEnv() }),
  );
}

/** Runs `npm ci` unless node_modules already is what the lock file says. */
export async function installNodeModules() {
  if (!isCurrent()) {
    try {
      await npm("ci");
    } catch (error) {
      // A lock file written where a registry lacks some platform's binaries is refused by `npm ci` alone.
      if (!String(error).includes("from lock file")) throw error;
      print("package-lock.json is not complete enough for npm ci");
      await npm("install", "--no-save");
    }
  }
  await checkNode();
}
