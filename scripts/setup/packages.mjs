import { run, which } from "./run.mjs";
import { say, step } from "./step.mjs";

/** What the lab runs, and the Debian package each comes from. */
const packageOf = /** @type {const} */ ({
  "qemu-system-x86_64": "qemu-system-x86",
  "qemu-img": "qemu-utils",
  mmdebstrap: "mmdebstrap",
  vde_switch: "vde2",
  ssh: "openssh-client",
  mke2fs: "e2fsprogs",
});

const isRoot = process.getuid?.() === 0;

/** @returns {(keyof typeof packageOf)[]} tools of the lab that this machine lacks */
function missingTools() {
  const tools = /** @type {(keyof typeof packageOf)[]} */ (Object.keys(packageOf));
  // Debian keeps mke2fs where only root's PATH looks.
  return tools.filter((tool) => !which(tool, ["/usr/sbin", "/sbin"]));
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
  await run(program, rest, { ask: prefix.length === 1 });
}

/**
 * Installs what the lab's virtual machines need. Where it cannot, it says why and returns: lab tests then report
 * themselves as skipped.
 */
export async function installLabPackages() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return say(
      `no lab: its machines need Linux on x86-64, and this is ${process.platform} on ${process.arch}`,
    );
  }
  const tools = missingTools();
  if (tools.length === 0) return;
  const packages = tools.map((tool) => packageOf[tool]).join(" ");
  const missing = `no lab: missing ${tools.join(", ")}`;
  if (!which("apt-get")) {
    return say(`${missing}; no apt-get here, so install what your distribution has for Debian's ${packages}`);
  }
  const prefix = await rootPrefix();
  if (!prefix) return say(`${missing}; not root, so run: sudo apt-get install ${packages}`);
  try {
    await step(`installing Debian packages for the lab: ${packages}`, async () => {
      await aptGet(prefix, ["update"]);
      await aptGet(prefix, ["install", "-y", "--no-install-recommends", ...packages.split(" ")]);
    });
  } catch (error) {
    say(`${missing}; ${/** @type {Error} */ (error).message}`);
  }
}
