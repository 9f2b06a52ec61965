import { execFileSync } from "node:child_process";
import { existsSync, renameSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { cacheRoot } from "./cache.mjs";
import { buildPulumi } from "./pulumi-build.mjs";
import { downloadPulumi } from "./pulumi-download.mjs";
import { isExecutable, which } from "./run.mjs";
import { print } from "./step.mjs";
import { withTempDir } from "./temp-dir.mjs";
import { isAtLeast, versionIn } from "./version.mjs";

/** @typedef {import("./pulumi.d.mts").Pulumi} Pulumi */

/** What is installed where none is found: the version of the SDK in package.json. */
const version = "3.258.0";

/** The first engine that keeps the inputs a dynamic resource's `read` returns, without which drift does not show. */
const oldest = "3.216";

/** What `pulumi` starts for a TypeScript program with dynamic resources. */
const companions = ["pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"];

const cached = () => join(cacheRoot(), `pulumi-${version}`);

const isComplete = (/** @type {string} */ dir) =>
  ["pulumi", ...companions].every((name) => isExecutable(join(dir, "bin", name)));

/**
 * @param {string} program
 * @returns {string | undefined}
 */
function versionOf(program) {
  const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  try {
    return versionIn(execFileSync(program, ["version"], { env, encoding: "utf8", stdio: "pipe" }));
  } catch {
    return undefined;
  }
}

/** @returns {Pulumi | undefined} the CLI in $PULUMI_LVS_PULUMI, or else on PATH, if it is fit */
function findInstalled() {
  const named = process.env.PULUMI_LVS_PULUMI;
  const program = named ? [join(named, "pulumi"), named].find(isExecutable) : which("pulumi");
  if (!program) return undefined;
  const bin = dirname(resolve(program));
  if (!companions.every((name) => isExecutable(join(bin, name)) || which(name))) return undefined;
  const found = versionOf(program);
  return found && isAtLeast(found, oldest) ? { bin, version: found } : undefined;
}

/** @returns {Pulumi | undefined} */
export function findPulumi() {
  const installed = findInstalled();
  if (installed) return installed;
  return isComplete(cached()) ? { bin: join(cached(), "bin"), version } : undefined;
}

/**
 * Moves a finished installation to where it is looked for. The second of two set-ups at once leaves the
 * first one's in place.
 *
 * @param {string} made
 */
function place(made) {
  if (isComplete(cached())) return;
  if (existsSync(cached())) renameSync(cached(), `${made}-replaced`);
  try {
    renameSync(made, cached());
  } catch (error) {
    if (!isComplete(cached())) throw error;
  }
}

/** @returns {Promise<Pulumi>} */
export async function installPulumi() {
  if (process.env.PULUMI_LVS_PULUMI && !findInstalled()) {
    print(`PULUMI_LVS_PULUMI is no Pulumi ${oldest} or newer with ${companions.join(" and ")}; ignored`);
  }
  const found = findPulumi();
  if (found) return found;
  await withTempDir(async (dir) => {
    let made = join(dir, "downloaded");
    try {
      await downloadPulumi(version, made);
    } catch (error) {
      print(`${/** @type {Error} */ (error).message}; so it is built from source`);
      made = join(dir, "built");
      await buildPulumi(version, made);
    }
    place(made);
  });
  return { bin: join(cached(), "bin"), version };
}
