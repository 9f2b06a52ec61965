// Builds the kernel of the lab's User-Mode Linux machines into the cache; kernel.mjs runs it while it holds a lock.
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { cacheRoot } from "./cache.mjs";
import { findKernel, kernelKey, optionsFile } from "./kernel.mjs";
import { downloadSource, unpackSource } from "./kernel-source.mjs";
import { run } from "./run.mjs";
import { withTempDir } from "./temp-dir.mjs";

// Ctrl-C reaches this twice, from the terminal and from set-up, and the second must not end the clean-up.
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

/** @param {string} text lines of NAME=VALUE and comments */
const wanted = (text) =>
  text.split("\n").flatMap((line) => (/^[A-Z0-9]/.test(line) ? [`CONFIG_${line}`] : []));

/** @param {string} source unpacked source */
async function configure(source) {
  const lines = wanted(readFileSync(optionsFile, "utf8"));
  const fragment = join(source, "lab.options");
  writeFileSync(fragment, `${lines.join("\n")}\n`);
  const env = { ...process.env, KCONFIG_ALLCONFIG: fragment };
  await run("make", ["-s", "ARCH=um", "allnoconfig"], { cwd: source, env });
  const config = readFileSync(join(source, ".config"), "utf8").split("\n");
  const dropped = lines.filter((line) => !config.includes(line));
  if (dropped.length > 0) console.log(`this kernel does not have ${dropped.join(" ")}`);
}

/**
 * @param {string} source
 * @param {string} label
 */
async function compile(source, label) {
  let done = 0;
  let printed = performance.now();
  const follow = (/** @type {string} */ line) => {
    if (/^ {2}(CC|AR|LD)\b/.test(line)) done++;
    if (performance.now() - printed < 30_000) return;
    printed = performance.now();
    console.log(`compiling ${label}: ${done} of about 2000 files`);
  };
  const jobs = `-j${availableParallelism()}`;
  await run("make", [jobs, "ARCH=um", "linux", "modules"], { cwd: source, follow });
}

/**
 * @param {string} source
 * @param {string} result
 */
async function collect(source, result) {
  mkdirSync(result);
  const root = join(source, "lab-root");
  await run("make", ["-s", "ARCH=um", `INSTALL_MOD_PATH=${root}`, "INSTALL_MOD_STRIP=1", "modules_install"], {
    cwd: source,
    // an ordinary user may have no sbin on PATH, where depmod is
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
  const owner = ["--owner=0", "--group=0", "--exclude=build", "--exclude=source"];
  await run("tar", ["--create", ...owner, "-f", join(result, "modules.tar"), "-C", root, "lib/modules"]);
  await run("strip", ["-o", join(result, "linux"), join(source, "linux")]);
  copyFileSync(join(source, ".config"), join(result, "config"));
}

async function main() {
  if (findKernel()) return;
  await withTempDir(async (dir) => {
    const { file, version } = await downloadSource(dir);
    const source = join(dir, "source");
    console.log(`unpacking the source of Linux ${version}`);
    await unpackSource(file, source);
    await configure(source);
    await compile(source, `Linux ${version}`);
    await collect(source, join(dir, "kernel"));
    const target = join(cacheRoot(), `kernel-${version}-${kernelKey()}`);
    if (!existsSync(target)) renameSync(join(dir, "kernel"), target);
  });
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
