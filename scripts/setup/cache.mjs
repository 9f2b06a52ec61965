import { homedir } from "node:os";
import { join, resolve } from "node:path";

/**
 * Folder for everything that is made once and outlives the checkout: the Pulumi CLI, stack states, lab images.
 * It may not exist yet.
 *
 * @returns {string}
 */
export function cacheRoot() {
  const { PULUMI_LVS_CACHE, XDG_CACHE_HOME } = process.env;
  if (PULUMI_LVS_CACHE) return resolve(PULUMI_LVS_CACHE);
  return resolve(XDG_CACHE_HOME || join(homedir(), ".cache"), "pulumi-lvs");
}
