import { readdir, readFile, rm } from "node:fs/promises";
import { sendSignal } from "../send-signal.mts";
import { until } from "./command.mts";

const read = (file: string) => readFile(file, "utf8").catch(() => "");

/** The process a pid file names, if it lives and is ours: its command line names the same pid file. */
export const livePid = async (pidFile: string): Promise<number | undefined> => {
  const pid = Number.parseInt(await read(pidFile), 10);
  if (!(pid > 1)) return undefined;
  const words = (await read(`/proc/${pid}/cmdline`)).split("\0");
  // a program without an option for it is given the file as a word it does not know, after an equals sign
  return words.some((word) => word === pidFile || word.endsWith(`=${pidFile}`)) ? pid : undefined;
};

/** Whether a process has ended: it is gone, or a zombie that its parent has not collected yet. */
const isGone = async (pid: number): Promise<boolean> =>
  /^$|^\d+ \(.*\) [ZX]/s.test(await read(`/proc/${pid}/stat`));

/** Waits until a process holds no file or port any more. */
export const ended = (pid: number, seconds: number): Promise<boolean> =>
  until(`end of process ${pid}`, seconds, async () => (await isGone(pid)) || undefined).catch(() => false);

/** Processes of a group that are at work. */
const members = async (group: number): Promise<number[]> => {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map(async (pid) => [pid, await read(`/proc/${pid}/stat`)] as const));
  return stats.flatMap(([pid, stat]) => {
    // the name in brackets can hold anything
    const [state = "Z", , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(pgrp) === group && !"ZX".includes(state) ? [Number(pid)] : [];
  });
};

/** Ends the process of a pid file, if it is ours, and removes the file. */
export const stopByPidFile = async (pidFile: string): Promise<void> => {
  for (const name of ["SIGTERM", "SIGKILL"] as const) {
    const pid = await livePid(pidFile);
    if (pid === undefined) break;
    sendSignal(pid, name);
    if (await ended(pid, 10)) break;
  }
  await rm(pidFile, { force: true });
};

/** Kills the process of a pid file, if it is ours, and all of the group that it leads; removes the file. */
export const killGroup = async (pidFile: string): Promise<void> => {
  const pid = await livePid(pidFile);
  if (pid !== undefined) {
    sendSignal(-pid, "SIGKILL");
    await until(
      `end of the processes of ${pid}`,
      60,
      async () => (await members(pid)).length === 0 || undefined,
    );
  }
  await rm(pidFile, { force: true });
};
