// npm run demo [-- --keep]: puts in place what is missing, on whatever Node this is, then goes on in demo/main.mts on the
// Node of this checkout.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cacheRoot } from "./setup/cache.mjs";
import { checkout } from "./setup/checkout.mjs";

const usage = "usage: npm run demo [-- --keep]   (--keep leaves lab and stacks up, to play with)";

/**
 * Runs a script of this checkout on the terminal and passes signals on to it.
 *
 * @param {string} node
 * @param {readonly string[]} args
 * @returns {Promise<number>} its exit code
 */
function runNode(node, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, { cwd: checkout, stdio: "inherit" });
    const relay = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
    for (const signal of signals) process.on(signal, relay);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      for (const each of signals) process.off(each, relay);
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

async function main() {
  const { values } = parseArgs({ options: { keep: { type: "boolean" }, help: { type: "boolean" } } });
  if (values.help) return console.log(usage);
  console.log("LVS/NAT and LVS/DR, built by pulumi up on four virtual machines of your own");
  console.log(`Debian packages are installed where they are missing; all else stays in ${cacheRoot()}`);
  const start = performance.now();
  const failed = await runNode(process.execPath, [join("scripts", "setup.mjs"), "--lab"]);
  if (failed) {
    console.error(`demo: set-up did not get through (exit code ${failed}); npm run demo goes on from there`);
    process.exitCode = failed;
    return;
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const node = join(checkout, "node_modules", ".bin", "node");
  const args = [join("scripts", "demo", "main.mts"), `--setup-seconds=${seconds}`];
  process.exitCode = await runNode(node, values.keep ? [...args, "--keep"] : args);
}

await main().catch((error) => {
  console.error(`demo: ${error.message}`);
  if (String(error.code).startsWith("ERR_PARSE_ARGS")) console.error(usage);
  process.exitCode = 1;
});
