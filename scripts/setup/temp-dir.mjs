import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot } from "./cache.mjs";

/**
 * Lends a folder in the cache, where the result can be renamed into place, and removes it afterwards.
 *
 * @param {(dir: string) => Promise<void>} work
 */
export async function withTempDir(work) {
  mkdirSync(cacheRoot(), { recursive: true });
  const dir = mkdtempSync(join(cacheRoot(), "tmp-"));
  const remove = () => rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  // Ctrl-C leaves through this too: see setup.mjs.
  process.once("exit", remove);
  try {
    await work(dir);
  } finally {
    process.off("exit", remove);
    remove();
  }
}
