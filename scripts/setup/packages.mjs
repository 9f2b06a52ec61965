import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { run, which } from "./run.mjs";
import { print, step } from "./step.mjs";

/** What the lab runs, and the Debian package each comes from. */
const forLab = {
  "qemu-system-x86_64": "qemu-system-x86",
  "qemu-img": "qemu-utils",
  mmdebstrap: "mmdebstrap",
  vde_switch: "vde2",
  vde_plug: "vde2",
  "/usr/lib/x86_64-linux-gnu/vdeplug/libvdeplug_slirp.so": "libvdeplug-slirp",
  ssh: "openssh-client",
  mke2fs: "e2fsprogs",
};

/** The shells and awks that quick tests feed scripts to, what counts their processes, and what checks the scripts. */
const forQuickTests = {
  dash: "dash",
  bash: "bash",
  busybox: "busybox",
  mawk: "mawk",
  gawk: "gawk",
  strace: "strace",
  shellcheck: "shellcheck",
  shfmt: "shfmt",
};

const isRoot = process.getuid?.() === 0;

/**
 * @param {Readonly<Record<string, string>>} packageOf program, or path of a file, and the Debian packages it comes from
 * @returns {string[]} packages of what this machine lacks
 */
export function missingOf(packageOf) {
  // Debian keeps mke2fs and depmod where only root's PATH looks.
  const isHere = (/** @type {string} */ name) =>
    name.startsWith("/") ? existsSync(name) : which(name, ["/usr/sbin", "/sbin"]);
  const missing = Object.entries(packageOf).filter(([name]) => !isHere(name));
  return [...new Set(missing.flatMap(([, packages]) => packages.split(" ")))];
}

/** @returns {Promise<string[] | undefined>} what to put before a command to run it as root */
async function rootPrefix() {
  if (isRoot) return [];
  if (!which("sudo")) return undefined;
  const free = await run("sudo", ["-n", "true"]).then(
    () => true,
    () => false,
  );
  if (free) return ["sudo", "-n"];
  return process.stdin.isTTY ? ["sudo"] : undefined;
}

/**
 * @param {readonly string[]} prefix
 * @param {readonly string[]} args
 */
async function aptGet(prefix, args) {
  const [program = "", ...rest] = [
    ...prefix,
    ...["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"],
    ...args,
  ];
  await run(program, rest, { interactive: prefix.length === 1 });
}

/**
 * Installs Debian packages.
 *
 * @param {readonly string[]} packages
 * @param {string} purpose what needs them
 */
export async function install(packages, purpose) {
  const names = packages.join(" ");
  if (!which("apt-get"))
    throw new Error(
      `${purpose} needs ${names}; no apt-get here, so install what your distribution has for these`,
    );
  const prefix = await rootPrefix();
  if (!prefix) throw new Error(`${purpose} needs ${names}; not root, so run: sudo apt-get install ${names}`);
  await step(`installing Debian packages for ${purpose}: ${names}`, async () => {
    await aptGet(prefix, ["update"]);
    await aptGet(prefix, ["install", "-y", "--no-install-recommends", ...packages]);
  });
}

/**
 * @param {Readonly<Record<string, string>>} packageOf
 * @param {string} purpose
 * @param {string} without what becomes of it where they cannot be installed
 */
async function installFor(packageOf, purpose, without) {
  const packages = missingOf(packageOf);
  if (packages.length === 0) return;
  await install(packages, purpose).catch((error) => print(`${without}: ${error.message}`));
}

/** Installs the shells and awks that quick tests use. Where it cannot, it says why and returns: those tests then fail. */
export const installShells = () =>
  installFor(forQuickTests, "quick tests", "not all shells and awks are here");

/**
 * Installs what the lab's virtual machines need. Where it cannot, it says why and returns: lab tests then report
 * themselves as skipped.
 */
export async function installLabPackages() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return print(
      `no lab: its machines need Linux on x86-64, and this is ${process.platform} on ${process.arch}`,
    );
  }
  await installFor(forLab, "the lab", "no lab");
}

/** Debian keeps the server's programs in a folder for each version. */
const postgresVersions = "/usr/lib/postgresql";

const hasPostgres = () =>
  existsSync(postgresVersions) &&
  readdirSync(postgresVersions).some((version) =>
    existsSync(join(postgresVersions, version, "bin", "initdb")),
  );

/** Installs the PostgreSQL that tests start. Where it cannot, it says why and returns: those tests are then skipped. */
export async function installPostgres() {
  const packages = [...missingOf({ psql: "postgresql-client" }), ...(hasPostgres() ? [] : ["postgresql"])];
  if (packages.length === 0) return;
  const purpose = "tests of state in PostgreSQL";
  await install(packages, purpose).catch((error) => print(`no PostgreSQL: ${error.message}`));
}
