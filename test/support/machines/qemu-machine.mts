import path from "node:path";
import { hasKvm } from "../../../scripts/setup/kvm.mjs";
import { execute, until } from "./command.mts";
import { type HostName, mac, networks } from "./hosts.mts";
import { switchDir } from "./network.mts";
import { type Place, socketDir } from "./paths.mts";
import { ended, livePid, stopByPidFile } from "./pid-file.mts";
import { readPorts } from "./ports.mts";
import { monitor } from "./qemu-monitor.mts";

/** Name of the snapshot every machine starts from: booted, prepared, no user logged in. */
const snapshot = "booted";

/** What makes up the machine itself; a snapshot loads only into the same one. */
export const hardware = (): string[] => [
  ...(hasKvm() ? ["-accel", "kvm"] : ["-accel", "tcg,thread=multi,tb-size=256"]),
  ...["-M", "q35", "-cpu", "qemu64", "-m", "320", "-smp", "1"],
  ...["-nodefaults", "-no-user-config", "-display", "none", "-device", "virtio-rng-pci"],
];

// the kernel would panic at its boot where a busy computer gives the emulated timer no time
const kernelArguments = (host: HostName) =>
  `root=/dev/vda rw console=ttyS0 quiet no_timer_check net.ifnames=0 fsck.mode=skip systemd.hostname=${host}`;

const card = (id: string, host: HostName, index: number) => [
  "-device",
  `virtio-net-pci,netdev=${id},mac=${mac(host, index)}`,
];

/** Disk of a machine. */
export const diskOf = (place: Place, host: HostName): string => path.join(place, `${host}.qcow2`);

const pidFile = (place: Place, host: HostName) => path.join(place, `${host}.pid`);
const monitorSocket = (place: Place, host: HostName) => path.join(socketDir(place), `${host}.qmp`);

/** Process of a running machine. */
export const machinePid = (place: Place, host: HostName): Promise<number | undefined> =>
  livePid(pidFile(place, host));

/** Starts a machine, cold from its disk or warm from its snapshot; returns once QEMU has taken all of it. */
export const startMachine = async (
  place: Place,
  image: string,
  host: HostName,
  from: "disk" | "snapshot",
): Promise<void> => {
  const port = (await readPorts(place))[host];
  await execute(
    [
      "qemu-system-x86_64",
      ...hardware(),
      ...["-name", host, "-daemonize", "-pidfile", pidFile(place, host)],
      ...["-kernel", path.join(image, "vmlinuz"), "-initrd", path.join(image, "initrd")],
      ...["-append", kernelArguments(host)],
      ...["-drive", `file=${diskOf(place, host)},if=virtio,cache=unsafe`],
      ...["-serial", `file:${path.join(place, `${host}.console`)}`],
      ...["-qmp", `unix:${monitorSocket(place, host)},server=on,wait=off`],
      ...["-netdev", `user,id=m,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`, ...card("m", host, 0)],
      ...networks.flatMap((network, index) => [
        "-netdev",
        `vde,id=${network},sock=${switchDir(place, network)}`,
        ...card(network, host, index + 1),
      ]),
      ...(from === "snapshot" ? ["-loadvm", snapshot] : []),
    ],
    { timeoutSeconds: 300 },
  );
};

/** Pulls the plug: nothing is written back, no service is stopped. */
export const stopMachine = async (place: Place, host: HostName): Promise<void> => {
  const pid = await machinePid(place, host);
  if (pid !== undefined) {
    // a machine that does not hear its monitor gets a signal below
    const quit = await monitor(monitorSocket(place, host), "quit", 5).catch(() => undefined);
    if (quit !== undefined) await ended(pid, 5);
  }
  await stopByPidFile(pidFile(place, host));
};

/** Takes the snapshot, once no ssh connection is left that it would keep half open. */
export const saveSnapshot = async (place: Place, host: HostName): Promise<void> => {
  const socket = monitorSocket(place, host);
  await until(`${host} without connections`, 300, async () =>
    (await monitor(socket, "info usernet", 300)).includes("ESTABLISHED") ? undefined : true,
  );
  await monitor(socket, `savevm ${snapshot}`, 300);
};

/** Takes a running machine back to its snapshot: memory, disk and clock. */
export const loadSnapshot = async (place: Place, host: HostName): Promise<void> => {
  await monitor(monitorSocket(place, host), `loadvm ${snapshot}`, 300);
};
