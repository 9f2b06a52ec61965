import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { choose } from "./choose.mts";

/** Eight characters that stand for a text. */
export const shortHash = (text: string): string =>
  createHash("sha256").update(text).digest("hex").slice(0, 8);

/** Where images and labs are kept: outside every checkout. */
export const cacheRoot = (): string => {
  const { PULUMI_LVS_CACHE: own, XDG_CACHE_HOME: caches } = process.env;
  return path.resolve(own || path.join(caches || path.join(homedir(), ".cache"), "pulumi-lvs"));
};

const checkout = shortHash(realpathSync(path.join(import.meta.dirname, "../../..")));

/** Which of the labs beside each other: LVS_LAB, or 1. */
export const labNumber = (): number => {
  const { LVS_LAB: number = "1" } = process.env;
  if (!/^[1-9]\d?$/.test(number)) throw new Error(`LVS_LAB is ${number}: it can be a number from 1 to 99`);
  return Number(number);
};

/** The lab of this checkout, engine and number. */
export const labDir = (): string =>
  path.join(cacheRoot(), "labs", `${checkout}-${choose().name}-${labNumber()}`);

/** Directory of a set of machines: disks, pid files, ports, ssh_config, known_hosts. */
export type Place = string;

/** Directory for sockets, whose whole path may have 107 bytes, of which vde and ssh add up to 40. */
export const socketDir = (place: Place): string =>
  place.length <= 60 ? path.join(place, "run") : path.join(tmpdir(), `pulumi-lvs-${shortHash(place)}`);
