import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const repository = join(__dirname, "../../..");
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lvs-node-"));
  writeFileSync(
    join(folder, "old.cjs"),
    'Object.defineProperty(process, "version", { value: "v20.19.0", writable: false });',
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs Node, which takes itself for version 20. */
const old = (...args: string[]) =>
  run(process.execPath, ["--require", join(folder, "old.cjs"), ...args], { cwd: repository }).then(
    () => expect.unreachable(),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      stdout,
      stderr,
    }),
  );

const message =
  "cannot run pulumi-lvs with Node v20.19.0: it needs Node 22 or newer; install a newer one, and put it first in PATH";

/** Prints an error as Pulumi does: one of its own without the stack. */
const printing = (code: string) =>
  `try { ${code} } catch (error) { console.error(require("@pulumi/pulumi").RunError.isInstance(error) ? error.message : error.stack); process.exit(1); }`;

test.each([
  ["a program", ["--eval", printing('require("pulumi-lvs")')]],
  ["a provider", ["--eval", printing('require("pulumi-lvs/provider").install({ kind: "RealServer" }, {})')]],
  ["the command", ["dist/cli/main.js", "up"]],
  ["the help of the command", ["dist/cli/main.js", "--help"]],
])("%s on a Node that is too old ends with one line that says what to do", async (_, args) => {
  expect(await old(...args)).toEqual({ code: 1, stdout: "", stderr: `${message}\n` });
});
