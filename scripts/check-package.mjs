// Looks at the package as npm would publish it, and for code that nothing uses: node scripts/check-package.mjs
// It packs what `npm run build` left in dist/.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkout } from "./setup/checkout.mjs";
import { run } from "./setup/run.mjs";

const options = { cwd: checkout };

/** @param {string} dir takes the package */
async function checkPacked(dir) {
  // The script `prepack` would empty dist/, which tests of another run may be reading.
  const name = await run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", dir], options);
  const file = join(dir, name.trim());
  await Promise.all([run("publint", ["run", "--strict", file], options), run("attw", [file], options)]);
}

const dir = mkdtempSync(join(tmpdir(), "lvs-package-"));
process.once("exit", () => rmSync(dir, { recursive: true, force: true }));

for (const result of await Promise.allSettled([checkPacked(dir), run("knip", [], options)])) {
  if (result.status === "fulfilled") continue;
  console.error(result.reason.message);
  process.exitCode = 1;
}
