import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { pulumiEnv } from "../../scripts/pulumi-env.mjs";
import freshBuild from "../support/fake/fresh-build.js";

const repository = join(__dirname, "../..");

/** A checkout after set-up, beside an empty home and an empty cache. */
function freshCheckout() {
  const place = realpathSync(mkdtempSync(join(tmpdir(), "lvs-first-")));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  const [folder, home, cache] = ["checkout", "home", "cache"].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  for (const one of [folder, home]) mkdirSync(one);
  for (const part of ["scripts", "Pulumi.yaml", "Pulumi.example.yaml"])
    cpSync(join(repository, part), join(folder, part), { recursive: true });
  for (const part of ["clusters.js", "dist", "node_modules", "package.json"])
    symlinkSync(join(repository, part), join(folder, part));
  const { PATH } = pulumiEnv(join(place, "unused"));
  // Not a synchronous one, because it would block the worker of the tests.
  const sh = (script: string, more: Record<string, string> = {}) =>
    new Promise<{ code: number; text: string }>((resolve) => {
      const env = { PATH, HOME: home, PULUMI_LVS_CACHE: cache, NO_COLOR: "1", ...more };
      execFile("sh", ["-eu", "-c", script], { cwd: folder, env }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, text: stdout + stderr }),
      );
    });
  return { folder, home, cache, sh };
}

/** The commands that README tells to type, from the copy of the example to the preview. */
const firstSteps = (): string => {
  const [, after = ""] = readFileSync(join(repository, "README.md"), "utf8").split("## Without a program");
  const block = /```console\n([\s\S]*?)```/.exec(after)?.[1] ?? "";
  const commands = block.split("\n").flatMap((line) => (line.startsWith("$ ") ? [line.slice(2)] : []));
  expect(commands[0]).toMatch(/^node scripts\/setup\.mjs /);
  expect(commands.at(-1)).toBe("npm run up -- prod");
  return commands.slice(1, -1).join("\n");
};

test("README's first steps work from an empty home, and a stack from the cache moves to the checkout", async () => {
  freshBuild();
  const { folder, home, cache, sh } = freshCheckout();
  const first = await sh(firstSteps());
  expect(first.code, first.text).toBe(0);
  expect(first.text).toMatch(/^prod: state in \.\/\.state, passphrase of PULUMI_CONFIG_PASSPHRASE$/m);
  expect(first.text).toMatch(/RealServer/);
  const stack = ".pulumi/stacks/lvs/prod.json";
  expect(existsSync(join(folder, ".state", stack))).toBe(true);
  expect(existsSync(cache)).toBe(false);

  // as an earlier version left it
  const old = join(cache, "state", createHash("sha256").update(folder).digest("hex").slice(0, 12));
  mkdirSync(dirname(old), { recursive: true });
  renameSync(join(folder, ".state"), old);
  writeFileSync(join(cache, "passphrase"), "…");
  const moved = await sh("npm run -s move-state");
  expect(moved.code, moved.text).toBe(0);
  // Pulumi asks the passphrase of the stack's salt.
  const kept = join(home, ".config/pulumi-lvs/passphrase");
  const again = await sh("npm run -s preview -- prod", { PULUMI_CONFIG_PASSPHRASE_FILE: kept });
  expect(again.code, again.text).toBe(0);
  expect(again.text).not.toMatch(/no such stack/);
  writeFileSync(kept, "another");
  const wrong = await sh("npm run -s preview -- prod", { PULUMI_CONFIG_PASSPHRASE_FILE: kept });
  expect(wrong.code).not.toBe(0);
  expect(wrong.text).toMatch(/incorrect passphrase/);
});
