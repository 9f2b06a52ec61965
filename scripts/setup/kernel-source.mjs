import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.mjs";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
const suite = `deb [signed-by=${keyring}] http://deb.debian.org/debian trixie-backports main`;

/** User-Mode Linux of versions before 6.13 dies on CPUs with AMX, and 7 is what the lab was tried with. */
const oldestMajor = 7;

/**
 * Writes an apt configuration of its own, which leaves the machine's alone.
 *
 * @param {string} dir
 * @returns {NodeJS.ProcessEnv}
 */
function ownApt(dir) {
  for (const folder of ["state/lists/partial", "cache/archives/partial"])
    mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(join(dir, "sources.list"), `${suite}\n`);
  const settings = {
    "Dir::State": join(dir, "state"),
    "Dir::State::status": "/dev/null",
    "Dir::Cache": join(dir, "cache"),
    "Dir::Etc::sourcelist": join(dir, "sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::Etc::preferencesparts": "/dev/null",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    // the account _apt may not enter a folder of the cache
    "APT::Sandbox::User": "root",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  writeFileSync(join(dir, "apt.conf"), lines.join(""));
  return { ...process.env, APT_CONFIG: join(dir, "apt.conf") };
}

/**
 * @param {string} names what apt-cache knows, a line for each
 * @returns {string} the newest of them
 */
export function newestSource(names) {
  const found = [...names.matchAll(/^linux-source-((\d+)\.[\d.]+)$/gm)]
    .filter(([, , major]) => Number(major) >= oldestMajor)
    .map(([name]) => name)
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const newest = found.at(-1);
  if (!newest) throw new Error(`Debian's trixie-backports has no package linux-source-${oldestMajor}.x`);
  return newest;
}

/**
 * Gets the newest kernel source of Debian's backports.
 *
 * @param {string} dir folder to work in
 * @returns {Promise<{ file: string, version: string }>} the package, and its version
 */
export async function downloadSource(dir) {
  const env = ownApt(join(dir, "apt"));
  await run("apt-get", ["-q", "update"], { cwd: dir, env });
  const name = newestSource(await run("apt-cache", ["pkgnames", "linux-source-"], { env }));
  const about = await run("apt-cache", ["show", "--no-all-versions", name], { env });
  const version = /^Version: (.*)$/m.exec(about)?.[1] ?? "unknown";
  await run("apt-get", ["-q", "download", name], { cwd: dir, env });
  const file = readdirSync(dir).find((each) => each.endsWith(".deb"));
  if (!file) throw new Error(`apt-get download ${name} left no package`);
  return { file: join(dir, file), version };
}

/**
 * Unpacks the source, less what no part of User-Mode Linux includes.
 *
 * @param {string} file
 * @param {string} target folder to make
 */
export async function unpackSource(file, target) {
  const unused = ["sound", "drivers/gpu", "drivers/media", "drivers/net/ethernet", "drivers/net/wireless"];
  const left = unused.flatMap((folder) => [`--exclude=*/${folder}/*.c`, `--exclude=*/${folder}/*.h`]);
  const unpacked = `${target}.deb`;
  await run("dpkg-deb", ["-x", file, unpacked]);
  const sources = join(unpacked, "usr", "src");
  const archive = readdirSync(sources).find((name) => name.endsWith(".tar.xz"));
  if (!archive) throw new Error(`${file} has no archive of the source`);
  mkdirSync(target);
  await run("tar", ["-xJf", join(sources, archive), "-C", target, "--strip-components=1", ...left]);
  rmSync(unpacked, { recursive: true });
}
