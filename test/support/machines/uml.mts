import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { findKernel } from "../../../scripts/setup/kernel.mjs";
import { bootSeconds, connectAll, prepare } from "./boot.mts";
import { ensureBuilt } from "./built.mts";
import { all, execute, type Log, step, until } from "./command.mts";
import type { Engine } from "./engine.mts";
import { guestFiles } from "./guest-files.mts";
import { type HostName, hosts } from "./hosts.mts";
import { stopSwitches } from "./network.mts";
import type { Place } from "./paths.mts";
import { assemble, ensureRoot, pack, recipeOf, writeFiles } from "./root.mts";
import { runOn } from "./ssh.mts";
import { diskOf, machinePid, startMachine, stopMachine } from "./uml-machine.mts";

const script = "assemble-uml.sh";

const kernel = () => {
  const found = findKernel();
  if (!found)
    throw new Error("there is no User-Mode Linux kernel: node scripts/setup.mjs --kernel builds it");
  return found;
};

// a machine that was shut down leaves a disk without a journal to replay
const shutDown = async (place: Place, host: HostName): Promise<void> => {
  await runOn(place, host, "systemctl poweroff", { allowFailure: true });
  await until(`${host} switched off`, bootSeconds, async () =>
    (await machinePid(place, host)) === undefined ? true : undefined,
  );
};

const copyDisk = (place: Place, image: string, host: HostName) =>
  execute(["cp", "--reflink=auto", "--sparse=always", diskOf(image, host), diskOf(place, host)], {
    timeoutSeconds: 300,
  });

const stopAll = async (place: Place): Promise<void> => {
  await all(hosts, (host) => stopMachine(place, host));
  await stopSwitches(place);
};

const build = async (dir: string, root: string, log: Log): Promise<void> => {
  await step(log, "building the image of User-Mode Linux machines (once)", async () => {
    const overlay = path.join(dir, "overlay");
    await writeFiles(overlay, await guestFiles("guest-uml"));
    await pack(overlay, `${overlay}.tar`);
    await assemble(root, dir, script, path.join(kernel().dir, "modules.tar"), `${overlay}.tar`);
    await execute(["cp", path.join(kernel().dir, "linux"), dir]);
  });
  await connectAll(dir, dir);
  await step(log, "booting four machines", () =>
    all(hosts, async (host) => {
      await startMachine(dir, dir, host);
      await prepare(dir, host);
      await shutDown(dir, host);
    }),
  ).finally(() => stopAll(dir));
  for (const name of ["overlay", "overlay.tar", "run", "ports.json", "ssh_config", "known_hosts"])
    await rm(path.join(dir, name), { recursive: true, force: true });
};

/** The hosts on a kernel that is an ordinary process: no emulated CPU, and nothing that is kept but the disk. */
export const uml: Engine = {
  async ensureImage(log) {
    const root = await ensureRoot(log);
    const card = await readFile(path.join(import.meta.dirname, "uml-machine.mts"), "utf8");
    const own = [path.basename(kernel().dir), [...(await guestFiles("guest-uml"))], card];
    const recipe = [...(await recipeOf(root, script)), ...own];
    return ensureBuilt("image-uml", recipe, (dir) => build(dir, root, log));
  },
  copyDisks: (place, image) => all(hosts, (host) => copyDisk(place, image, host)),
  pid: machinePid,
  async start(place, image, host, from) {
    if (from === "image") await copyDisk(place, image, host);
    await startMachine(place, image, host);
  },
  stop: stopMachine,
  async renew(place, image, host) {
    await stopMachine(place, host);
    await copyDisk(place, image, host);
    await startMachine(place, image, host);
  },
  async startAgain(place, image) {
    await connectAll(place, image);
    await all(hosts, (host) => uml.start(place, image, host, "image"));
  },
  clockStops: false,
};
