import path from "node:path";
import { all, execute, step, until } from "./command.mts";
import { type HostName, hosts, webServers } from "./hosts.mts";
import { diskOf, saveSnapshot, startMachine, stopMachine } from "./machine.mts";
import { startSwitches, stopSwitches } from "./network.mts";
import type { Place } from "./paths.mts";
import { choosePorts } from "./ports.mts";
import { closeSsh, runOn, setClock, waitForSshOn, writeSshConfig } from "./ssh.mts";

const emptyDisk = (place: Place, image: string, host: HostName) =>
  execute([
    ...["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2"],
    ...["-b", path.join(image, "base.qcow2"), diskOf(place, host)],
  ]);

const serve = `
systemctl -q enable --now nginx
for port in 80 8080; do curl -fsS http://127.0.0.1:$port/ > /dev/null || exit; done
`;

// what differs between the machines is done here, once, and kept by the snapshot
const settle = async (place: Place, host: HostName): Promise<void> => {
  await waitForSshOn(place, host, 600);
  await setClock(place, host);
  await runOn(place, host, "hostname > /var/www/html/index.html");
  if (webServers.includes(host)) await runOn(place, host, serve);
  await until(`${host} settled`, 300, async () => {
    const { stdout } = await runOn(place, host, "systemctl is-system-running", { allowFailure: true });
    return ["running", "degraded"].includes(stdout.trim()) || undefined;
  });
  await runOn(place, host, "sync");
  await closeSsh(place, host);
};

/** Stops machines and switches. */
export const stopAll = async (place: Place): Promise<void> => {
  await all(hosts, async (host) => {
    await closeSsh(place, host);
    await stopMachine(place, host);
  });
  await stopSwitches(place);
};

/** Boots all machines from new disks on top of the image and keeps what they have become as their snapshot. */
export const coldStart = async (place: Place, image: string, log: (line: string) => void): Promise<void> => {
  await stopAll(place);
  await startSwitches(place);
  await choosePorts(place, hosts);
  await writeSshConfig(place, image);
  await step(log, "booting four machines", () =>
    all(hosts, async (host) => {
      await emptyDisk(place, image, host);
      await startMachine(place, image, host, "disk");
      await settle(place, host);
    }),
  );
  await step(log, "keeping their state", () => all(hosts, (host) => saveSnapshot(place, host)));
};
