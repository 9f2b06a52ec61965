import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot } from "./cache.mjs";
import { checkout } from "./checkout.mjs";
import { hasKvm } from "./kvm.mjs";
import { install, missingOf } from "./packages.mjs";
import { run } from "./run.mjs";
import { print, step } from "./step.mjs";

/** Options that the kernel has on top of allnoconfig. */
export const optionsFile = join(checkout, "test", "support", "machines", "kernel", "options");

/** What builds the kernel, and the Debian package each comes from. */
const builders = /** @type {const} */ ({
  gcc: "gcc libc6-dev",
  make: "make",
  flex: "flex",
  bison: "bison",
  bc: "bc",
  xz: "xz-utils",
  depmod: "kmod",
  flock: "util-linux",
});

/** @returns {string} ending of the folder's name: another text of options makes another kernel */
export const kernelKey = () =>
  createHash("sha256").update(readFileSync(optionsFile, "utf8")).digest("hex").slice(0, 8);

/** @returns {import("./kernel.d.mts").Kernel | undefined} the newest one that was built with the options of this checkout */
export function findKernel() {
  if (!existsSync(cacheRoot())) return undefined;
  const pattern = new RegExp(`^kernel-(.*)-${kernelKey()}$`);
  const found = readdirSync(cacheRoot()).flatMap((name) => {
    const version = pattern.exec(name)?.[1];
    return version ? [{ version, dir: join(cacheRoot(), name) }] : [];
  });
  return found.sort((a, b) => a.version.localeCompare(b.version, "en", { numeric: true })).at(-1);
}

/** @returns {string | undefined} why this machine needs no kernel for User-Mode Linux */
function unneeded() {
  const { LVS_LAB_ENGINE: engine } = process.env;
  if (engine === "qemu") return "LVS_LAB_ENGINE=qemu";
  if (engine !== "uml" && hasKvm()) return "QEMU has KVM here";
  return undefined;
}

/**
 * Builds the kernel of the lab's User-Mode Linux machines unless the cache has it. Where it cannot, it says why and
 * returns: the lab then runs on QEMU.
 */
export async function installKernel() {
  if (process.platform !== "linux" || process.arch !== "x64") return;
  if (unneeded() || findKernel()) return;
  const without = "no User-Mode Linux kernel, so the lab runs on QEMU with emulated CPUs, which is slow";
  try {
    const packages = missingOf(builders);
    if (packages.length > 0) await install(packages, "building the lab's kernel");
    mkdirSync(cacheRoot(), { recursive: true });
    const lock = join(cacheRoot(), "kernel.lock");
    const script = join(checkout, "scripts", "setup", "kernel-build.mjs");
    await step("building the lab's User-Mode Linux kernel, about 8 minutes on two free cores, once", () =>
      // a second set-up waits here, and then finds what the first one made; without a fork, a signal reaches the script
      run("flock", ["--no-fork", lock, process.execPath, script], { follow: print }),
    );
  } catch (error) {
    print(`${without}: ${/** @type {Error} */ (error).message}`);
  }
}
