import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { type HostName, hosts } from "./hosts.mts";
import { type Place, shortHash } from "./paths.mts";

/** Loopback port of each machine's sshd. */
type Ports = Record<HostName, number>;

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

const portsFile = (place: Place) => path.join(place, "ports.json");

/** The ports chosen last time, if any. */
export const readPorts = async (place: Place): Promise<Partial<Ports>> =>
  JSON.parse(await readFile(portsFile(place), "utf8").catch(() => "{}"));

// below the range the kernel hands out, so that no passing connection takes one; labs start looking at different places
const firstPort = (place: Place) => 20_000 + (Number.parseInt(shortHash(place), 16) % 1200) * 8;

/** Gives each of these hosts a free port, its earlier one where possible, and writes all of them down. */
export const choosePorts = async (place: Place, names: readonly HostName[]): Promise<void> => {
  const ports = await readPorts(place);
  let next = firstPort(place);
  for (const host of hosts) {
    const earlier = ports[host];
    if (earlier && (!names.includes(host) || (await isFree(earlier)))) continue;
    while (Object.values(ports).includes(next) || !(await isFree(next))) next++;
    ports[host] = next++;
  }
  await writeFile(portsFile(place), `${JSON.stringify(ports)}\n`);
};
