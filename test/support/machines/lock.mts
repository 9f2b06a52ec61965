import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import path from "node:path";

/** Does the work while holding a lock between processes; flock(1) lets go of it even when this process is killed. */
export const withLock = async <T,>(file: string, work: () => Promise<T>): Promise<T> => {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const holder = spawn("flock", [file, "sh", "-c", "echo held; cat"], { stdio: ["pipe", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    holder.once("error", reject);
    holder.once("exit", () => reject(new Error(`cannot lock ${file}`)));
    holder.stdout.once("data", () => resolve());
  });
  const gone = new Promise((resolve) => holder.once("exit", resolve));
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await gone;
  }
};
