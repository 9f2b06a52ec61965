import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { withLock } from "./lock.mts";
import { cacheRoot, shortHash } from "./paths.mts";
import { stopByPidFile } from "./pid-file.mts";

const stopMachinesOf = async (dir: string): Promise<void> => {
  const names = await readdir(dir).catch(() => []);
  for (const name of names.filter((each) => each.endsWith(".pid"))) await stopByPidFile(path.join(dir, name));
};

/** Stops the machines of an image in the making, and removes it. */
export const dropBuild = async (dir: string): Promise<void> => {
  await stopMachinesOf(dir);
  await rm(dir, { recursive: true, force: true });
};

/** Builds in the making; those that are found by the process that holds the lock were left by one that was killed. */
export const buildsNow = (): string[] =>
  readdirSync(cacheRoot()).flatMap((name) =>
    name.startsWith("build-") ? [path.join(cacheRoot(), name)] : [],
  );

/** Directory in the cache for a recipe; where it is missing, `build` fills it, one process at a time. */
export const ensureBuilt = async (
  kind: string,
  recipe: unknown,
  build: (dir: string) => Promise<void>,
): Promise<string> => {
  const target = path.join(cacheRoot(), `${kind}-${shortHash(JSON.stringify(recipe))}`);
  if (existsSync(target)) return target;
  await withLock(path.join(cacheRoot(), "build.lock"), async () => {
    // another process may have built it while this one waited
    if (existsSync(target)) return;
    for (const dir of buildsNow()) await dropBuild(dir);
    const dir = await mkdtemp(path.join(cacheRoot(), "build-"));
    try {
      await build(dir);
      await rename(dir, target);
    } finally {
      await dropBuild(dir);
    }
  });
  return target;
};
