import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { all, execute } from "./command.mts";
import { type NetworkName, networks } from "./hosts.mts";
import { type Place, socketDir } from "./paths.mts";
import { livePid, stopByPidFile } from "./pid-file.mts";

const pidFile = (place: Place, network: NetworkName) => path.join(place, `${network}.pid`);

/** Directory of a switch's sockets. */
export const switchDir = (place: Place, network: NetworkName): string => path.join(socketDir(place), network);

/** Whether both switches run. */
export const switchesRun = async (place: Place): Promise<boolean> =>
  (await Promise.all(networks.map((network) => livePid(pidFile(place, network))))).every(Boolean);

/** Starts a virtual Ethernet switch per network. */
export const startSwitches = async (place: Place): Promise<void> => {
  await mkdir(socketDir(place), { recursive: true, mode: 0o700 });
  for (const network of networks) {
    const dir = switchDir(place, network);
    await rm(dir, { recursive: true, force: true });
    await execute(["vde_switch", "-d", "-s", dir, "-m", "600", "-p", pidFile(place, network)]);
  }
};

export const stopSwitches = async (place: Place): Promise<void> => {
  await all(networks, (network) => stopByPidFile(pidFile(place, network)));
};
