// Puts in place what tests and the demo need: node scripts/setup.mjs [--lab] [--kernel] [--quiet]
// Safe to repeat. It fails only where nothing could run afterwards; what else is missing gets a line, and the tests
// that need it are reported as skipped.
import { parseArgs } from "node:util";
import { installActionlint } from "./setup/actionlint.mjs";
import { build } from "./setup/build.mjs";
import { installKernel } from "./setup/kernel.mjs";
import { installNodeModules } from "./setup/node-modules.mjs";
import { installLabPackages, installPostgres, installShells } from "./setup/packages.mjs";
import { installPulumi } from "./setup/pulumi.mjs";
import { print, quieten } from "./setup/step.mjs";

const { values } = parseArgs({
  options: { lab: { type: "boolean" }, kernel: { type: "boolean" }, quiet: { type: "boolean" } },
});

// So that Ctrl-C runs the exit handlers, which remove half-made things.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

async function main() {
  await installShells();
  await installActionlint();
  if (values.lab) {
    await installLabPackages();
    await installPostgres();
  }
  if (values.kernel) await installKernel();
  await installNodeModules();
  await build();
  await installPulumi().catch((error) => print(`no Pulumi CLI: ${error.message}`));
}

if (values.quiet) quieten();
await main().catch((error) => {
  print(error.message);
  process.exitCode = 1;
});
