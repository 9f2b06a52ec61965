import { readFile, rm } from "node:fs/promises";
import { until } from "./command.mts";

const read = (file: string) => readFile(file, "utf8").catch(() => "");

/** The process a pid file names, if it lives and is ours: its command line names the same pid file. */
export const livePid = async (pidFile: string): Promise<number | undefined> => {
  const pid = Number.parseInt(await read(pidFile), 10);
  if (!(pid > 1)) return undefined;
  const commandLine = await read(`/proc/${pid}/cmdline`);
  return commandLine.split("\0").includes(pidFile) ? pid : undefined;
};

/** Waits until a process holds no file or port any more: it is gone, or a zombie nobody has collected yet. */
export const ended = (pid: number, seconds: number): Promise<boolean> =>
  until(`end of process ${pid}`, seconds, async () =>
    /^$|^\d+ \(.*\) [ZX]/.test(await read(`/proc/${pid}/stat`)) ? true : undefined,
  ).catch(() => false);

/** Ends the process of a pid file, if it is ours, and removes the file. */
export const stopByPidFile = async (pidFile: string): Promise<void> => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const pid = await livePid(pidFile);
    if (pid === undefined) break;
    process.kill(pid, signal);
    if (await ended(pid, 5)) break;
  }
  await rm(pidFile, { force: true });
};
