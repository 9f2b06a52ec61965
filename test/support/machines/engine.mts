import { choose, type EngineName } from "./choose.mts";
import type { Log } from "./command.mts";
import type { HostName } from "./hosts.mts";
import type { Place } from "./paths.mts";
import { qemu } from "./qemu.mts";
import { uml } from "./uml.mts";

/** What runs the machines. All of them come from one root file system, so hosts are the same on each. */
export type Engine = {
  /** Directory of the image for the recipe of this checkout; builds it where it is missing. */
  ensureImage(log: Log): Promise<string>;
  /** Gives a lab whose machines do not run the disks of the image: booted once and prepared. */
  copyDisks(place: Place, image: string): Promise<void>;
  /** Process of a running machine. */
  pid(place: Place, host: HostName): Promise<number | undefined>;
  /** Starts a machine that does not run: as the image has it, or from its disk as it is. */
  start(place: Place, image: string, host: HostName, from: "image" | "disk"): Promise<void>;
  /** Pulls the plug: nothing is written back, no service is stopped. */
  stop(place: Place, host: HostName): Promise<void>;
  /** Takes a running machine back to what the image has. */
  renew(place: Place, image: string, host: HostName): Promise<void>;
  /** Starts all machines where `start` from the image has failed: switches and ports are chosen anew. */
  startAgain(place: Place, image: string, log: Log): Promise<void>;
  /** Whether machines come back with the time of the image. */
  readonly clockStops: boolean;
};

const engines: Record<EngineName, Engine> = { qemu, uml };

/** The engine of this lab. */
export const engine = (): Engine => engines[choose().name];
