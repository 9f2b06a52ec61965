import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.mjs";
import { step } from "./step.mjs";
import { isAtLeast, versionIn } from "./version.mjs";

/** What the CLI's own go.mod requires. */
const oldestGo = "1.25.11";

/** The last sdk/v3 that holds the language host; it serves later engines and SDKs too. */
const languageHost = "3.68.0";

const pkg = "github.com/pulumi/pulumi/pkg/v3";
const sdk = "github.com/pulumi/pulumi/sdk/v3";

// The CLI's go.mod has this line too, and Go heeds `replace` in the main module alone.
const clipboard =
  "replace github.com/atotto/clipboard => github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e";

/** @param {string} dir folder with a go.mod, since that may make Go fetch a newer toolchain by itself */
async function checkGo(dir) {
  const found = versionIn(await run("go", ["version"], { cwd: dir }).catch(() => ""));
  if (found && isAtLeast(found, oldestGo)) return;
  throw new Error(
    `building the Pulumi CLI needs Go ${oldestGo} or newer, ${found ? `not ${found}` : "which is not here"}: ` +
      "get it from https://go.dev/dl, or put the CLI on PATH: https://www.pulumi.com/docs/install",
  );
}

/**
 * @param {string} dir folder with a go.mod
 * @param {string} program import path of a main package
 * @param {string} version the version that it is to report
 * @param {string} bin
 */
async function goBuild(dir, program, version, bin) {
  const ldflags = `-s -w -X ${sdk}/go/common/version.Version=v${version}`;
  // -mod=mod lets Go complete go.mod itself, from the versions that the required modules name.
  await run("go", ["build", "-mod=mod", "-trimpath", "-ldflags", ldflags, "-o", `${bin}/`, program], {
    cwd: dir,
  });
}

/**
 * @param {string} dir folder to make
 * @param {readonly string[]} lines
 */
function writeModule(dir, lines) {
  mkdirSync(dir);
  writeFileSync(join(dir, "go.mod"), ["module build", `go ${oldestGo}`, ...lines, ""].join("\n"));
}

/**
 * Builds the CLI and what it needs for dynamic resources from the sources that the Go module proxy has.
 *
 * @param {string} version
 * @param {string} target folder to make; the programs go to its bin/
 */
export async function buildPulumi(version, target) {
  const cli = `${target}-cli`;
  const host = `${target}-host`;
  const bin = join(target, "bin");
  writeModule(cli, [`require (\n${pkg} v${version}\n${sdk} v${version}\n)`, clipboard]);
  writeModule(host, [`require ${sdk} v${languageHost}`]);
  await checkGo(cli);
  await step("building the Pulumi CLI with Go, about 5 minutes, once", async () => {
    await goBuild(cli, `${pkg}/cmd/pulumi`, version, bin);
    await goBuild(host, `${sdk}/nodejs/cmd/pulumi-language-nodejs`, languageHost, bin);
    // A script and no Go program: the launcher of dynamic providers, which the CLI looks for beside itself.
    const sources = (await run("go", ["list", "-mod=mod", "-m", "-f", "{{.Dir}}", sdk], { cwd: cli })).trim();
    const launcher = join(bin, "pulumi-resource-pulumi-nodejs");
    copyFileSync(join(sources, "nodejs", "dist", "pulumi-resource-pulumi-nodejs"), launcher);
    chmodSync(launcher, 0o755);
  });
}
