import { rm } from "node:fs/promises";
import path from "node:path";
import { connectAll, prepare } from "./boot.mts";
import { ensureBuilt } from "./built.mts";
import { all, execute, type Log, step } from "./command.mts";
import type { Engine } from "./engine.mts";
import { type HostName, hosts } from "./hosts.mts";
import { stopSwitches } from "./network.mts";
import type { Place } from "./paths.mts";
import {
  diskOf,
  hardware,
  loadSnapshot,
  machinePid,
  saveSnapshot,
  startMachine,
  stopMachine,
} from "./qemu-machine.mts";
import { assemble, ensureRoot, recipeOf } from "./root.mts";

const script = "assemble-qemu.sh";

const emptyDisk = (place: Place, image: string, host: HostName) =>
  execute([
    ...["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2"],
    ...["-b", path.join(image, "base.qcow2"), diskOf(place, host)],
  ]);

/** Boots all machines from new disks on top of the image and keeps what they have become as their snapshot. */
const coldStart = async (place: Place, image: string, log: Log): Promise<void> => {
  await connectAll(place, image);
  await step(log, "booting four machines", () =>
    all(hosts, async (host) => {
      await emptyDisk(place, image, host);
      await startMachine(place, image, host, "disk");
      await prepare(place, host);
    }),
  );
  await step(log, "keeping their state", () => all(hosts, (host) => saveSnapshot(place, host)));
};

const stopAll = async (place: Place): Promise<void> => {
  await all(hosts, (host) => stopMachine(place, host));
  await stopSwitches(place);
};

const build = async (dir: string, root: string, log: Log): Promise<void> => {
  await step(log, "building the image of QEMU's machines (once)", () => assemble(root, dir, script));
  await coldStart(dir, dir, log).finally(() => stopAll(dir));
  for (const name of ["run", "ports.json", "ssh_config", "known_hosts"])
    await rm(path.join(dir, name), { recursive: true, force: true });
};

const copyDisk = async (place: Place, image: string, host: HostName): Promise<void> => {
  const disk = diskOf(place, host);
  await execute(["cp", "--reflink=auto", "--sparse=always", diskOf(image, host), disk], {
    timeoutSeconds: 300,
  });
  const base = ["-F", "qcow2", "-b", path.join(image, "base.qcow2")];
  await execute(["qemu-img", "rebase", "-q", "-u", "-f", "qcow2", ...base, disk], { timeoutSeconds: 300 });
};

/** Whole machines with Debian's own kernel, on the CPU itself where KVM works and on emulated ones elsewhere. */
export const qemu: Engine = {
  async ensureImage(log) {
    const root = await ensureRoot(log);
    // a snapshot loads only into the QEMU that wrote it, so its version is part of the recipe
    const version = (await execute(["qemu-system-x86_64", "--version"])).stdout;
    const recipe = [...(await recipeOf(root, script)), hardware(), version];
    return ensureBuilt("image-qemu", recipe, (dir) => build(dir, root, log));
  },
  copyDisks: (place, image) => all(hosts, (host) => copyDisk(place, image, host)),
  pid: machinePid,
  start: (place, image, host, from) =>
    startMachine(place, image, host, from === "image" ? "snapshot" : "disk"),
  stop: stopMachine,
  renew: (place, _image, host) => loadSnapshot(place, host),
  startAgain: coldStart,
  clockStops: true,
};
