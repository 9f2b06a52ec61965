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
  const lines = trace.split("\n").map((line) => {
    const [, pid = "", call = ""] = /^(\d+) +(?:<\.\.\. )?(\w+)/.exec(line) ?? [];
    const child = /(?:v?fork|clone3?)\b.* = (\d+)$/.exec(line)?.[1];
    return { pid, call, child };
  });
  const shell = lines[0]?.pid;
  const programs = new Set<string>();
  const parentOf = new Map<string, string>();
  for (const { pid, call, child } of lines) {
    if (call === "execve" && pid !== shell) programs.add(pid);
    if (child !== undefined && !programs.has(pid)) parentOf.set(child, pid);
  }
  // A child's lines may come before the one that tells whose child it is.
  const scriptOf = (pid: string): string => {
    const parent = parentOf.get(pid) as string;
    return parent === shell ? pid : scriptOf(parent);
  };
  const starts = new Map<string, number>();
  for (const pid of parentOf.keys()) starts.set(scriptOf(pid), (starts.get(scriptOf(pid)) ?? 0) + 1);
  return [...starts.values()].filter((number) => number > 1);
}
