import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { arpSuppression } from "../../providers/arp-suppression.js";
import { endScript } from "../../src/host/script.js";
import { readConflicts } from "../../src/shell/library.js";
import { lockFile } from "../../src/shell/lock.js";
import { fakeHost, resources } from "../support/fake/engine.js";
import { type FakeHost, type ShellProgram, shells } from "../support/fake/fake-host.js";
import { findProgram } from "../support/fake/tree.js";
import { sendSignal } from "../support/send-signal.mts";

const inEachShell = shells.map((shell) => [shell.join(" "), shell] as const);

/** A process that the kernel knows by this name, of at most 15 characters. */
function processNamed(name: string) {
  const directory = mkdtempSync(join(tmpdir(), "lvs-names-"));
  const program = join(directory, name);
  symlinkSync(findProgram("sleep") as string, program);
  const child = spawn(program, ["600"], { argv0: "sleep", stdio: "ignore" });
  onTestFinished(() => {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true });
  });
  return child;
}

/** The processes that hold the host's lock file open as a script does, of those that this user may look at. */
const scriptsOn = (fake: FakeHost): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return statSync(`/proc/${pid}/fd/9`).ino === statSync(join(fake.root, lockFile)).ino;
      } catch {
        return false;
      }
    })
    .map(Number);

/** S while it sleeps, T while it is stopped; undefined once it is gone. */
function stateOf(pid: number): string | undefined {
  try {
    return /^State:\t(\S)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

/** A script that waits in the middle of a change, and what becomes of the change: the script is to be ended and to undo it. */
async function waitingScript(shell: ShellProgram) {
  const fake = fakeHost({ shell });
  // what stands still never ends, and the host waits for it
  onTestFinished(() => {
    for (const pid of scriptsOn(fake)) sendSignal(pid, "SIGCONT");
  });
  const untouched = fake.snapshot();
  const { reached } = fake.pauseStep(6);
  const ended = expect(resources(arpSuppression, fake).create({}))
    .rejects.toThrow(/writing \d to \/proc\/.* timed out after/)
    .then(() => expect(fake.snapshot()).toBe(untouched));
  await reached();
  const scripts = scriptsOn(fake);
  expect(scripts).toHaveLength(1);
  return { fake, script: scripts[0] as number, ended };
}

/** Ends a script, after some lines of another's. */
async function end(fake: FakeHost, script: number, before = ""): Promise<void> {
  const other = await fake.open();
  await other.run((nonce) => before + endScript(nonce, script)).finally(() => other.close());
}

describe("a script that is ended", () => {
  test.each(inEachShell)(
    "goes on and undoes, also where the shell that ends it stops on the way (%s)",
    async (_, shell) => {
      const { fake, script, ended } = await waitingScript(shell);
      await end(fake, script, 'kill() { command kill "$@"; [ "$1" != -KILL ] || exit; }\n');
      expect(stateOf(script)).not.toBe("T");
      await ended;
    },
  );
});

describe("the name of a process, which any user chooses", () => {
  test.each(inEachShell)(
    "makes it no child of a script that is ended: it is neither stopped nor killed (%s)",
    async (_, shell) => {
      const { fake, script, ended } = await waitingScript(shell);
      // its first line in stat looks like another's: PID (x) S SCRIPT
      const stranger = processNamed(`x) S ${script} \n`);
      const pid = stranger.pid as number;
      await vi.waitUntil(() => stateOf(pid) === "S", { timeout: 30_000 });
      expect(readFileSync(`/proc/${pid}/stat`, "utf8")).toContain(
        `${pid} (x) S ${script} \n) S ${process.pid} `,
      );

      await end(fake, script);
      await ended;
      expect(stateOf(pid)).toBe("S");
      stranger.kill("SIGTERM");
      expect(await once(stranger, "exit")).toEqual([null, "SIGTERM"]);
    },
  );

  test.each(inEachShell)(
    "makes it none of root's, also where it changes between two reads (%s)",
    async (_, shell) => {
      const [program = "sh", ...args] = shell;
      const child = spawn(findProgram(program) as string, args, {
        argv0: program,
        stdio: ["pipe", "pipe", "inherit"],
        ...(process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}),
      });
      let printed = "";
      child.stdout.on("data", (text: Buffer) => {
        printed += text;
      });
      // the kernel writes each backslash as two: where a second line ends with a short name, the end of this one begins
      const long = `${"\\\\".repeat(7)}Uid:\\t0\\t0`;
      child.stdin.end(`${readConflicts}
read() { command read "$@"; rc=$?; printf '${long}' >/proc/$$/comm; return $rc; }
printf a >/proc/$$/comm
is_roots /proc/$$
printf '%s\\n' "$?"
`);
      await once(child, "close");
      expect(printed).toBe("1\n");
    },
  );
});
