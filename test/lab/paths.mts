import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";

/** Eight characters that stand for a text. */
export const shortHash = (text: string): string =>
  createHash("sha256").update(text).digest("hex").slice(0, 8);

/** Where images and labs are kept: outside every checkout. */
export const cacheRoot = (): string => {
  const { PULUMI_LVS_CACHE: own, XDG_CACHE_HOME: caches } = process.env;
  return path.resolve(own || path.join(caches || path.join(homedir(), ".cache"), "pulumi-lvs"));
};

/** The lab of this checkout. */
export const labDir = (): string =>
  path.join(cacheRoot(), "labs", shortHash(realpathSync(path.join(import.meta.dirname, "../.."))));

/** Directory of a set of machines: disks, pid files, ports, ssh_config, known_hosts. */
export type Place = string;

/** Directory for sockets, whose whole path may have 107 bytes, of which vde and ssh add up to 40. */
export const socketDir = (place: Place): string =>
  place.length <= 60 ? path.join(place, "run") : path.join(tmpdir(), `pulumi-lvs-${shortHash(place)}`);
