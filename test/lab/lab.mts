import { readFile } from "node:fs/promises";
import path from "node:path";
import { coldStart, stopAll } from "./boot.mts";
import { all, type Result, step, until } from "./command.mts";
import { copyDisks, imageInUse } from "./disks.mts";
import { addresses, type HostName, hosts, type NetworkName } from "./hosts.mts";
import { ensureImage } from "./image.mts";
import { withLock } from "./lock.mts";
import { loadSnapshot, machinePid, startMachine, stopMachine } from "./machine.mts";
import { startSwitches, switchesRun } from "./network.mts";
import { labDir, type Place } from "./paths.mts";
import { choosePorts, readPorts } from "./ports.mts";
import {
  closeSsh,
  type RunOptions,
  runOn,
  setClock,
  sshConfigOf,
  waitForSshOn,
  writeSshConfig,
} from "./ssh.mts";

export { type HostName, hosts } from "./hosts.mts";
export { labDir } from "./paths.mts";
export type { RunOptions } from "./ssh.mts";
export { unsupported } from "./unsupported.mts";

/** State of one machine. */
export type Status = {
  host: HostName;
  pid: number | undefined;
  port: number | undefined;
  addresses: Partial<Record<NetworkName, string>>;
};

// one process at a time starts, resets or stops machines
const alone = <T,>(work: (place: Place) => Promise<T>): Promise<T> =>
  withLock(path.join(labDir(), "lab.lock"), () => work(labDir()));

/** Client configuration with the aliases client, director, rs1 and rs2. */
export const sshConfigPath = (): string => sshConfigOf(labDir());

/** Password of the user `secretary`, who has no key. */
export const secretaryPassword = async (): Promise<string> =>
  (await readFile(path.join(await imageInUse(labDir()), "secretary.password"), "utf8")).trim();

const ready = async (place: Place, host: HostName): Promise<void> => {
  await waitForSshOn(place, host, 90);
  await setClock(place, host);
};

const stopped = async (place: Place): Promise<HostName[]> => {
  const pids = await Promise.all(hosts.map((host) => machinePid(place, host)));
  return hosts.filter((_, index) => pids[index] === undefined);
};

// machines never find back to a switch that died, so they start again with new ones
const connect = async (place: Place): Promise<void> => {
  if (await switchesRun(place)) return;
  await stopAll(place);
  await startSwitches(place);
};

const startFromSnapshots = async (place: Place, image: string, names: readonly HostName[]): Promise<void> => {
  await choosePorts(place, names);
  await writeSshConfig(place, image);
  await all(names, (host) => startMachine(place, image, host, "snapshot"));
};

/** Has all four machines running and reachable: minutes the first time ever, seconds later, at once if they run. */
export const up = (log: (line: string) => void = () => {}): Promise<void> =>
  alone(async (place) => {
    const image = await ensureImage(log);
    if ((await imageInUse(place)) !== image) {
      await stopAll(place);
      await step(log, "copying the disks", () => copyDisks(place, image));
    }
    await connect(place);
    const missing = await stopped(place);
    try {
      await step(
        log,
        missing.length > 0 ? `starting ${missing.join(", ")}` : "checking the machines",
        async () => {
          await startFromSnapshots(place, image, missing);
          await all(hosts, (host) => ready(place, host));
        },
      );
    } catch (error) {
      log(`the warm start failed, so this is a cold one: ${String(error).split("\n").at(-1)}`);
      await coldStart(place, image, log);
      await all(hosts, (host) => ready(place, host));
    }
  });

/** Stops machines and switches; what was changed on the machines is gone at the next `up`. */
export const down = (): Promise<void> => alone(stopAll);

/**
 * Takes machines back to the state just after their first boot, in seconds; starts those that do not run.
 * Connections of others are not closed: they fail at the next byte they send, and hear nothing until then.
 */
export const reset = (names: readonly HostName[] = hosts): Promise<void> =>
  alone(async (place) => {
    const image = await imageInUse(place);
    if (!image) throw new Error("this checkout has no lab yet: `npm run lab -- up` makes one");
    await connect(place);
    const missing = (await stopped(place)).filter((host) => names.includes(host));
    await all(names, (host) => closeSsh(place, host));
    if (missing.length > 0) await startFromSnapshots(place, image, missing);
    await all(names, async (host) => {
      if (!missing.includes(host)) await loadSnapshot(place, host);
      await ready(place, host);
    });
  });

/** Pulls a machine's plug, or boots it from the disk as it is; `waitForSsh` tells when it is back. */
export const power = (host: HostName, state: "off" | "on"): Promise<void> =>
  alone(async (place) => {
    await closeSsh(place, host);
    if (state === "off") return stopMachine(place, host);
    if ((await machinePid(place, host)) === undefined)
      await startMachine(place, await imageInUse(place), host, "disk");
  });

/** Reboots a machine in good order and waits until it is back. */
export const reboot = async (host: HostName, seconds = 180): Promise<void> => {
  const bootId = () => runOn(labDir(), host, "cat /proc/sys/kernel/random/boot_id", { allowFailure: true });
  const before = (await bootId()).stdout;
  await runOn(labDir(), host, "systemctl reboot", { allowFailure: true });
  await until(`reboot of ${host}`, seconds, async () => {
    await closeSsh(labDir(), host);
    await waitForSshOn(labDir(), host, seconds);
    const { code, stdout } = await bootId();
    return code === 0 && stdout !== before ? true : undefined;
  });
};

/** What runs where. */
export const status = async (): Promise<Status[]> => {
  const ports = await readPorts(labDir());
  return Promise.all(
    hosts.map(async (host) => ({
      host,
      pid: await machinePid(labDir(), host),
      port: ports[host],
      addresses: addresses[host],
    })),
  );
};

/** Feeds a script to `sh` on a machine as root; throws with exit code and stderr unless failure is allowed. */
export const run = (host: HostName, script: string, options: RunOptions = {}): Promise<Result> =>
  runOn(labDir(), host, script, options);

/** Waits until a machine lets us log in, for at most so many seconds. */
export const waitForSsh = (host: HostName, seconds: number): Promise<void> =>
  waitForSshOn(labDir(), host, seconds);
