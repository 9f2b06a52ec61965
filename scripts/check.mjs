// Checks what needs no lab: node scripts/check.mjs [--static]. With --static it runs no tests.
// Steps run side by side where they can, and all that fail show in one run.
import { spawn } from "node:child_process";
import { checkout } from "./setup/checkout.mjs";

/** Seconds that `npm run check` may take on two free cores. A run above them says so and still passes. */
const budget = 30;

/** @type {string[]} */
const failed = [];

/**
 * Runs a command. Its output shows when it ends, so that no other output comes in between.
 *
 * @param {string} name
 * @param {string} command
 * @param {{ shows?: boolean }} [options] `shows` lets it print at once
 * @returns {Promise<boolean>} whether it succeeded
 */
async function step(name, command, { shows = false } = {}) {
  const [program = "", ...args] = command.split(" ");
  const out = shows ? "inherit" : "pipe";
  const child = spawn(program, args, { cwd: checkout, stdio: ["ignore", out, out] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  /** @type {boolean} */
  const succeeded = await new Promise((resolve) => {
    child.once("error", (error) => {
      output += `${error.message}\n`;
      resolve(false);
    });
    child.once("close", (code) => resolve(code === 0));
  });
  process.stdout.write(output);
  if (!succeeded) failed.push(name);
  return succeeded;
}

const npm = (/** @type {string} */ name) => step(name, `npm run --silent ${name}`);

// Each says in one line what is missing.
for (const script of ["installed", "shells"])
  if (!(await step(script, `node scripts/${script}.mjs`))) process.exit(1);

const lint = npm("lint");
// Types, the package and tests need what is built.
if (await npm("build"))
  await Promise.all([
    npm("typecheck"),
    npm("check:package"),
    ...(process.argv.includes("--static")
      ? []
      : [step("tests", "vitest run --project quick", { shows: true })]),
  ]);
await lint;
const seconds = performance.now() / 1000;
const result = seconds > budget ? "above" : "within";
console.log(`the check took ${seconds.toFixed(0)} s, ${result} the budget of ${budget} s`);
if (failed.length > 0) {
  console.error(`failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}
