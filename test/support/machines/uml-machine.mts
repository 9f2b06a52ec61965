import { spawn } from "node:child_process";
import { mkdir, open, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { searchPath } from "./command.mts";
import { type HostName, mac, networks } from "./hosts.mts";
import { switchDir } from "./network.mts";
import { type Place, shortHash, socketDir } from "./paths.mts";
import { killGroup, livePid } from "./pid-file.mts";
import { readPorts } from "./ports.mts";

/** What a machine has written: the rest of its disk is the image's. */
export const diskOf = (place: Place, host: HostName): string => path.join(place, `${host}.cow`);

const pidFile = (place: Place, host: HostName) => path.join(place, `${host}.pid`);

/** Process of a running machine. */
export const machinePid = (place: Place, host: HostName): Promise<number | undefined> =>
  livePid(pidFile(place, host));

const card = (host: HostName, index: number, vnl: string) =>
  `vec${index}:transport=vde,vnl=${vnl},mac=${mac(host, index)}`;

const words = (place: Place, image: string, host: HostName) => [
  "mem=320M",
  `ubd0=${diskOf(place, host)},${path.join(image, "base.ext4")}`,
  ...["root=/dev/ubda", "rw", "fsck.mode=skip", `systemd.hostname=${host}`],
  ...["con=null", "con0=null,fd:1", "quiet", "seccomp=on"],
  // the kernel would measure its loop for 0.1 s, and have this computer sync its disk at each commit
  ...["lpj=5000000", "rootflags=nobarrier"],
  // one that is in use is replaced by one at random
  ...[`umid=${shortHash(place)}-${host}`, `uml_dir=${path.join(socketDir(place), "uml")}/`],
  card(host, 0, "lab-management"),
  ...networks.map((network, index) => card(host, index + 1, `vde://${switchDir(place, network)}`)),
  // the kernel leaves alone what it does not know; we know the process by it
  `lab.pid=${pidFile(place, host)}`,
];

/** Starts a machine from its disk as it is. */
export const startMachine = async (place: Place, image: string, host: HostName): Promise<void> => {
  const port = (await readPorts(place))[host];
  await mkdir(path.join(socketDir(place), "uml"), { recursive: true, mode: 0o700 });
  await rm(path.join(socketDir(place), "uml", `${shortHash(place)}-${host}`), {
    recursive: true,
    force: true,
  });
  await using console = await open(path.join(place, `${host}.console`), "w");
  const child = spawn(path.join(image, "linux"), words(place, image, host), {
    // a group of its own, which is killed at once
    detached: true,
    stdio: ["ignore", console.fd, console.fd],
    env: {
      ...process.env,
      // the directory's vde_plug comes before the real one
      PATH: `${path.join(import.meta.dirname, "uml-bin")}:${searchPath}`,
      LVS_LAB_PORT: String(port),
    },
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  child.unref();
  await writeFile(pidFile(place, host), `${child.pid}\n`);
};

/** Pulls the plug: nothing is written back, no service is stopped. */
export const stopMachine = (place: Place, host: HostName): Promise<void> => killGroup(pidFile(place, host));
