import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot } from "./cache.mjs";
import { run, which } from "./run.mjs";
import { print, step } from "./step.mjs";

const version = "1.7.12";
const folder = () => join(cacheRoot(), `actionlint-${version}`);

/** @returns {string | undefined} the linter of workflows, on PATH or in the cache */
export function findActionlint() {
  const built = join(folder(), "actionlint");
  return which("actionlint") ?? (existsSync(built) ? built : undefined);
}

/** Installs actionlint by Go. Where it cannot, it says why and returns: the tests that need it then fail. */
export async function installActionlint() {
  if (findActionlint()) return;
  const module = `github.com/rhysd/actionlint/cmd/actionlint@v${version}`;
  await step(`installing actionlint ${version} by Go, once`, () =>
    run("go", ["install", module], { env: { ...process.env, GOBIN: folder() } }),
  ).catch((error) => print(`no actionlint: ${error.message}`));
}
