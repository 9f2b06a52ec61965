import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkout } from "./checkout.mjs";
import { run } from "./run.mjs";
import { step } from "./step.mjs";

// Not in dist/, which is published; lost with node_modules, after which a new build is right.
const stamp = join(checkout, "node_modules", ".cache", "pulumi-lvs", "built");

/** @returns {string[]} every file that `npm run build` reads, relative to the checkout */
function sources() {
  const folders = ["src", "providers", "stacks", "rollback", "cli", "policy"].filter((folder) =>
    existsSync(join(checkout, folder)),
  );
  const inFolders = folders.flatMap((folder) =>
    readdirSync(join(checkout, folder), { recursive: true }).map((file) => join(folder, String(file))),
  );
  return [...readdirSync(checkout).filter((file) => /\.(json|ts)$/.test(file)), ...inFolders].sort();
}

/** @returns {string} the same as long as no source was edited, added or removed */
function fingerprint() {
  const hash = createHash("sha256");
  for (const file of sources()) {
    const { mtimeMs, size } = statSync(join(checkout, file));
    hash.update(`${file}\0${mtimeMs}\0${size}\n`);
  }
  return hash.digest("hex");
}

/** Compiles the package into dist/ unless nothing changed since the last time this succeeded. */
export async function build() {
  // Taken before the compiler reads, so that an edit made meanwhile leads to another build.
  const now = fingerprint();
  const before = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
  if (existsSync(join(checkout, "dist")) && before === now) return;
  await step("compiling into dist/ (npm run build)", () => run("npm", ["run", "build"], { cwd: checkout }));
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, now);
}
