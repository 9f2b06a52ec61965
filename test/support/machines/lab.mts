import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { bootSeconds, ready } from "./boot.mts";
import { choose } from "./choose.mts";
import { all, type Log, type Result, step, until } from "./command.mts";
import { copyDisks, imageInUse } from "./disks.mts";
import { engine } from "./engine.mts";
import { addresses, type HostName, hosts, type NetworkName } from "./hosts.mts";
import { withLock } from "./lock.mts";
import { startSwitches, stopSwitches, switchesRun } from "./network.mts";
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
import { isUsed, noteFresh, noteUsed, question } from "./used.mts";

export { type HostName, hosts } from "./hosts.mts";
export type { RunOptions } from "./ssh.mts";
export { unsupported } from "./unsupported.mts";

/** State of one machine. */
type Status = {
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

// a machine that comes from the image; used or not is told by what happens after this
const fresh = async (place: Place, host: HostName): Promise<void> => {
  const answer = await ready(place, host, question);
  if (engine().clockStops) await setClock(place, host);
  noteFresh(place, host, answer);
};

const stopped = async (place: Place): Promise<HostName[]> => {
  const pids = await Promise.all(hosts.map((host) => engine().pid(place, host)));
  return hosts.filter((_, index) => pids[index] === undefined);
};

const stopAll = async (place: Place): Promise<void> => {
  await all(hosts, async (host) => {
    noteUsed(place, host);
    await closeSsh(place, host);
    await engine().stop(place, host);
  });
  await stopSwitches(place);
};

// machines never find back to a switch that died, so they start again with new ones
const connect = async (place: Place): Promise<void> => {
  if (await switchesRun(place)) return;
  await stopAll(place);
  await startSwitches(place);
};

const startFresh = async (place: Place, image: string, names: readonly HostName[]): Promise<void> => {
  await choosePorts(place, names);
  await writeSshConfig(place, image);
  await all(names, async (host) => {
    noteUsed(place, host);
    await closeSsh(place, host);
    await engine().start(place, image, host, "image");
    await fresh(place, host);
  });
};

/** Has all four machines running and reachable: minutes the first time ever, seconds later, at once if they run. */
export const up = (log: Log = () => {}): Promise<void> =>
  alone(async (place) => {
    const { name, why } = choose();
    log(`the lab's machines run on ${{ qemu: "QEMU", uml: "User-Mode Linux" }[name]} (${why})`);
    const image = await engine().ensureImage(log);
    if ((await imageInUse(place)) !== image) {
      await stopAll(place);
      await step(log, "copying the disks", () => copyDisks(place, image));
    }
    await connect(place);
    const missing = await stopped(place);
    const running = hosts.filter((host) => !missing.includes(host));
    try {
      await step(log, missing.length > 0 ? `starting ${missing.join(", ")}` : "checking the machines", () =>
        Promise.all([
          startFresh(place, image, missing),
          all(running, (host) => waitForSshOn(place, host, 90)),
        ]),
      );
    } catch (error) {
      log(`the warm start failed, so this is a cold one: ${String(error).split("\n").at(-1)}`);
      await stopAll(place);
      await engine().startAgain(place, image, log);
      await all(hosts, (host) => fresh(place, host));
    }
  });

/** Stops machines and switches; what was changed on the machines is gone at the next `up`. */
export const down = (): Promise<void> => alone(stopAll);

/**
 * Takes machines back to the state just after their first boot, in seconds: those of the given ones that were used. Starts
 * those that do not run. Connections of others are not closed: they fail at the next byte they send, or hear nothing until then.
 */
export const reset = (names: readonly HostName[] = hosts): Promise<void> =>
  alone(async (place) => {
    const image = await imageInUse(place);
    if (!image) throw new Error("this checkout has no lab yet: `npm run lab -- up` makes one");
    await connect(place);
    const missing = (await stopped(place)).filter((host) => names.includes(host));
    const running = names.filter((host) => !missing.includes(host));
    await Promise.all([
      startFresh(place, image, missing),
      all(running, async (host) => {
        if (!(await isUsed(place, host))) return;
        noteUsed(place, host);
        await closeSsh(place, host);
        await engine().renew(place, image, host);
        await fresh(place, host);
      }),
    ]);
  });

/** Pulls a machine's plug, or boots it from the disk as it is; `waitForSsh` tells when it is back. */
export const power = (host: HostName, state: "off" | "on"): Promise<void> =>
  alone(async (place) => {
    noteUsed(place, host);
    await closeSsh(place, host);
    if (state === "off") return engine().stop(place, host);
    if ((await engine().pid(place, host)) === undefined)
      await engine().start(place, await imageInUse(place), host, "disk");
  });

/** Reboots a machine in good order and waits until it is back. */
export const reboot = async (host: HostName, seconds = bootSeconds): Promise<void> => {
  noteUsed(labDir(), host);
  const bootId = () => runOn(labDir(), host, "cat /proc/sys/kernel/random/boot_id", { allowFailure: true });
  const before = (await bootId()).stdout;
  await runOn(labDir(), host, "systemctl reboot", { allowFailure: true });
  // it needs a second to go down, and each look below is a login
  await pause(1000);
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
      pid: await engine().pid(labDir(), host),
      port: ports[host],
      addresses: addresses[host],
    })),
  );
};

/** Feeds a script to `sh` on a machine as root; throws with exit code and stderr unless failure is allowed. */
export const run = (host: HostName, script: string, options: RunOptions = {}): Promise<Result> => {
  noteUsed(labDir(), host);
  return runOn(labDir(), host, script, options);
};

/** Waits until a machine lets us log in, for at most so many seconds. */
export const waitForSsh = (host: HostName, seconds: number): Promise<void> =>
  waitForSshOn(labDir(), host, seconds);
