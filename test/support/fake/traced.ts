import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { fakeHost } from "./engine.js";
import type { FakeHost, ShellProgram } from "./fake-host.js";
import { findProgram } from "./tree.js";

/** A fake host whose shell runs under strace, which sees every process that scripts start. */
export function tracedHost(shell: ShellProgram): { fake: FakeHost; starts: () => Promise<number[]> } {
  const folder = mkdtempSync(join(tmpdir(), "lvs-trace-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const trace = join(folder, "trace");
  const [program = "sh", ...args] = shell;
  const path = findProgram(program);
  if (!findProgram("strace") || !path)
    throw new Error(`cannot trace ${program}: it or strace is not installed; run npm ci`);
  const calls = "trace=execve,fork,vfork,clone,clone3";
  const fake = fakeHost({ shell: ["strace", "-f", "-qq", "-e", calls, "-o", trace, path, ...args] });
  return {
    fake,
    starts: async () => {
      fake.host.close();
      await fake.quiet();
      return startsOf(readFileSync(trace, "utf8"));
    },
  };
}

/**
 * Returns the number of processes of each script, itself included. A script is a child of the connection's shell that
 * runs no program. What a program starts does not count: here it is a fake one.
 */
function startsOf(trace: string): number[] {
  const scripts: { starts: number }[] = [];
  const scriptOf = new Map<string, { starts: number }>();
  const programs = new Set<string>();
  let shell: string | undefined;
  for (const line of trace.split("\n")) {
    const [, pid = "", call = ""] = /^(\d+) +(?:<\.\.\. )?(\w+)/.exec(line) ?? [];
    const child = /(?:v?fork|clone3?)\b.* = (\d+)$/.exec(line)?.[1];
    shell ??= pid;
    if (call === "execve" && pid !== shell) programs.add(pid);
    if (child === undefined || programs.has(pid)) continue;
    if (pid === shell) {
      const script = { starts: 1 };
      scripts.push(script);
      scriptOf.set(child, script);
      continue;
    }
    const script = scriptOf.get(pid);
    if (!script) continue;
    script.starts++;
    scriptOf.set(child, script);
  }
  return scripts.filter(({ starts }) => starts > 1).map(({ starts }) => starts);
}
