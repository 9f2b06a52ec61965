import { until } from "./command.mts";
import { type HostName, hosts, webServers } from "./hosts.mts";
import { startSwitches } from "./network.mts";
import type { Place } from "./paths.mts";
import { choosePorts } from "./ports.mts";
import { closeSsh, runOn, waitForSshOn, writeSshConfig } from "./ssh.mts";

const serve = `
systemctl -q enable --now nginx
for port in 80 8080; do curl -fsS http://127.0.0.1:$port/ > /dev/null || exit; done
`;

/** Seconds that a machine may take to come up, on a busy computer. */
export const bootSeconds = 600;

/** Switches, ports and an ssh_config for machines that do not run. */
export const connectAll = async (place: Place, image: string): Promise<void> => {
  await startSwitches(place);
  await choosePorts(place, hosts);
  await writeSshConfig(place, image);
};

/** Waits for the end of a machine's boot. */
const booted = async (place: Place, host: HostName): Promise<void> => {
  await until(`${host} booted`, bootSeconds, async () => {
    const { stdout } = await runOn(place, host, "systemctl is-system-running", { allowFailure: true });
    return ["running", "degraded"].includes(stdout.trim()) || undefined;
  });
};

/** Does once what differs between the machines, for the image to keep. */
export const prepare = async (place: Place, host: HostName): Promise<void> => {
  await waitForSshOn(place, host, bootSeconds);
  await runOn(place, host, `date -s @${(Date.now() / 1000).toFixed(3)} > /dev/null`);
  await runOn(place, host, "hostname > /var/www/html/index.html");
  if (webServers.includes(host)) await runOn(place, host, serve, { timeoutSeconds: 300 });
  await booted(place, host);
  await runOn(place, host, "sync", { timeoutSeconds: 300 });
  await closeSsh(place, host);
};

// What a machine does last after systemd says that it runs: duplicate address detection, and the first answer of nginx. The
// shell reads the flags itself, because each process costs more than the wait.
const isReady = (host: HostName) => `
systemctl is-system-running --wait > /dev/null
tentative() { while read -r _ _ _ _ flags _; do [ $((0x$flags & 0x40)) = 0 ] || return 0; done < /proc/net/if_inet6; return 1; }
n=0
until ! tentative${
  webServers.includes(host)
    ? " && curl -fs --fail-early -o /dev/null http://127.0.0.1/ -o /dev/null http://127.0.0.1:8080/"
    : ""
}; do n=$((n + 1)); [ $n -lt 1000 ] || exit 1; sleep 0.3; done
`;

/**
 * Waits until a machine lets us log in, has booted, has its addresses and serves what it is to serve. Returns what commands
 * print there then.
 */
export const ready = async (place: Place, host: HostName, then: string): Promise<string> => {
  await waitForSshOn(place, host, bootSeconds);
  return (await runOn(place, host, isReady(host) + then, { timeoutSeconds: bootSeconds })).stdout;
};
