import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { lockFile } from "../../src/shell/lock.js";
import { shells } from "../support/fake/fake-host.js";
import { findProgram } from "../support/fake/tree.js";
import { soon, Watched } from "./harness/watched.js";

// The log of a monitor, to which root appends, at a path where others can write or that is no file.

const a = "192.168.10.11:80";
const b = "192.168.10.12:80";
const gone = /, 192\.168\.10\.12 is gone\.$/m;
const back = /, 192\.168\.10\.12 is back\.$/m;

/** A place in a sticky folder, as another user can make it. */
function place(): string {
  const folder = mkdtempSync(join(tmpdir(), "lvs-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function pair(log: string, shell?: readonly string[]): Watched {
  const host = new Watched(shell);
  host.declare({ [a]: 1, [b]: 2 });
  host.watch({ log });
  for (const server of [a, b]) host.page(server, "OK");
  return host;
}

/** Has a server go and come, so that there are two lines to be written. */
async function logs(host: Watched): Promise<void> {
  host.start();
  await soon(() => expect(host.checks().filter((one) => one.startsWith("result\tup\t"))).toHaveLength(2));
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  host.page(b, "OK");
  await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 2`]));
}

const refused: readonly (readonly [string, (folder: string) => string, string])[] = [
  [
    "a link to a file of root's",
    (folder) => {
      symlinkSync(join(folder, "victim"), join(folder, "log"));
      return "log";
    },
    "it is not a regular file",
  ],
  [
    "a fifo without a reader",
    (folder) => {
      execFileSync("mkfifo", [join(folder, "log")]);
      return "log";
    },
    "it is not a regular file",
  ],
  [
    "in a folder that all may write to",
    (folder) => {
      mkdirSync(join(folder, "open"));
      chmodSync(join(folder, "open"), 0o1777);
      return "open/log";
    },
    "others than root may write to its folder, or to one above",
  ],
  [
    "behind a link that leads to such a folder",
    (folder) => {
      mkdirSync(join(folder, "open"));
      chmodSync(join(folder, "open"), 0o777);
      symlinkSync(join(folder, "open"), join(folder, "way"));
      return "way/log";
    },
    "others than root may write to its folder, or to one above",
  ],
  [
    "below a folder that others may write to",
    (folder) => {
      mkdirSync(join(folder, "open/deep"), { recursive: true });
      chmodSync(join(folder, "open"), 0o777);
      return "open/deep/log";
    },
    "others than root may write to its folder, or to one above",
  ],
  ["in a folder that is not there", () => "missing/log", "its folder cannot be entered"],
  [
    "a folder",
    (folder) => {
      mkdirSync(join(folder, "log"));
      return "log";
    },
    "it is not a regular file",
  ],
];

test.each(refused)("%s is not written to, is named once, and stops no round", async (_, make, why) => {
  const folder = place();
  const log = join(folder, make(folder));
  writeVictim(folder);
  const host = pair(log);
  await logs(host);
  await soon(() => expect(host.printed).toMatch(back));
  expect(host.printed).toMatch(gone);
  expect(host.printed.split("\n").filter((line) => line.includes("cannot be written"))).toEqual([
    `${log}: cannot be written: ${why}; its lines go to the journal`,
  ]);
  expect(readFileSync(join(folder, "victim"), "utf8")).toBe("root's\n");
  for (const name of ["open/log", "open/deep/log"]) expect(existsSync(join(folder, name))).toBe(false);
});

const writeVictim = (folder: string) =>
  execFileSync("sh", ["-c", `printf "root's\\n" >"$1"`, "-", join(folder, "victim")]);

test("a device is not written to", async () => {
  const host = pair("/dev/full");
  await logs(host);
  await soon(() => expect(host.printed).toMatch(back));
  expect(host.printed).toContain("/dev/full: cannot be written: it is not a regular file; ");
});

test.skipIf(process.getuid?.() !== 0)("a folder of another user is not written to", async () => {
  const folder = place();
  mkdirSync(join(folder, "theirs"));
  execFileSync("chown", ["54321", join(folder, "theirs")]);
  const host = pair(join(folder, "theirs/log"));
  await logs(host);
  await soon(() => expect(host.printed).toContain("others than root may write to its folder"));
  expect(existsSync(join(folder, "theirs/log"))).toBe(false);
});

test.each(shells.map((shell) => [shell.join(" "), shell] as const))(
  "in %s a log is written without the lock, and again once its place is as it must be",
  async (_, shell) => {
    const folder = place();
    mkdirSync(join(folder, "logs"), { mode: 0o755 });
    const log = join(folder, "logs/log");
    const host = pair(log, shell);
    // the last thing that is asked before a line is written
    host.tool(
      "readlink",
      `[ -n "$1" ] && if (exec 9<'${join(host.root, lockFile)}'; flock -n 9); then echo free; else echo held; fi >>"$LVS_FAKE_ROOT/lock-was"
exec '${findProgram("readlink")}' "$@"
`,
    );
    await logs(host);
    await soon(() => expect(existsSync(log) && readFileSync(log, "utf8")).toMatch(back));
    expect(host.printed).toBe("");
    expect(new Set(host.lines("lock-was"))).toEqual(new Set(["free"]));
    chmodSync(join(folder, "logs"), 0o777);
    host.page(b, undefined);
    await soon(() => expect(host.printed).toMatch(gone));
    chmodSync(join(folder, "logs"), 0o755);
    host.page(b, "OK");
    await soon(() => expect(readFileSync(log, "utf8").match(/is back\./g)).toHaveLength(2));
  },
);
