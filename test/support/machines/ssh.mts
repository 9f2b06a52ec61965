import { readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import path from "node:path";
import { attempt, type Result, until } from "./command.mts";
import { type HostName, hosts } from "./hosts.mts";
import { type Place, socketDir } from "./paths.mts";
import { readPorts } from "./ports.mts";

/** Client configuration with an alias per machine. */
export const sshConfigOf = (place: Place): string => path.join(place, "ssh_config");

const quote = (file: string) => (/\s/.test(file) ? `"${file}"` : file);

/** Writes ssh_config and known_hosts for the ports in use. */
export const writeSshConfig = async (place: Place, image: string): Promise<void> => {
  const ports = await readPorts(place);
  const knownHosts = path.join(place, "known_hosts");
  const keys = await Promise.all(
    hosts.map(async (host) => {
      const [type, key] = (await readFile(path.join(image, `${host}.pub`), "utf8")).split(" ");
      return `[127.0.0.1]:${ports[host]} ${type} ${key}\n`;
    }),
  );
  const aliases = hosts.map((host) =>
    [
      `Host ${host}`,
      "  HostName 127.0.0.1",
      `  Port ${ports[host]}`,
      "  User root",
      `  IdentityFile ${quote(path.join(image, "id_ed25519"))}`,
      "  IdentitiesOnly yes",
      `  UserKnownHostsFile ${quote(knownHosts)}`,
      "  StrictHostKeyChecking yes",
      "  LogLevel ERROR",
      "",
    ].join("\n"),
  );
  await writeFile(knownHosts, keys.join(""));
  await writeFile(sshConfigOf(place), aliases.join("\n"));
};

const controlPath = (place: Place, host: HostName) => path.join(socketDir(place), `${host}.ssh`);

// a handshake costs a second under emulation, so connections stay open; x25519 alone is the cheapest key exchange
const ssh = (place: Place, host: HostName, connectSeconds: number) => [
  ...["ssh", "-F", sshConfigOf(place), "-o", "BatchMode=yes", "-o", `ConnectTimeout=${connectSeconds}`],
  ...[
    "-o",
    "ControlMaster=auto",
    "-o",
    `ControlPath=${controlPath(place, host)}`,
    "-o",
    "ControlPersist=300",
  ],
  ...["-o", "KexAlgorithms=curve25519-sha256", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=6"],
];

/** Settings of one run. */
export type RunOptions = { timeoutSeconds?: number; allowFailure?: boolean };

/** Feeds a script to `sh` on a machine, as root. */
export const runOn = async (
  place: Place,
  host: HostName,
  script: string,
  { timeoutSeconds = 300, allowFailure = false }: RunOptions = {},
): Promise<Result> => {
  const argv = [...ssh(place, host, 60), host, "sh"];
  const result = await attempt(argv, { input: script, timeoutSeconds }).catch((cause) => {
    throw new Error(`${host}: the script did not end within ${timeoutSeconds} s`, { cause });
  });
  if (result.code !== 0 && !allowFailure)
    throw new Error(`${host}: exit code ${result.code}\n${result.stderr || result.stdout}`.trimEnd());
  return result;
};

/** Closes the shared connection of a machine, which does not survive a reset. */
export const closeSsh = async (place: Place, host: HostName): Promise<void> => {
  await attempt([...ssh(place, host, 1), "-O", "exit", host], { timeoutSeconds: 5 }).catch(() => undefined);
  await rm(controlPath(place, host), { force: true });
};

// far cheaper than a login that fails, for both sides
const sshdSpeaks = (port: number, seconds: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (speaks: boolean) => {
      socket.destroy();
      resolve(speaks);
    };
    socket.setTimeout(seconds * 1000, () => answer(false));
    socket.once("data", (data) => answer(data.toString("latin1").startsWith("SSH-")));
    socket.once("error", () => answer(false));
    socket.once("close", () => answer(false));
  });

/** Waits until a machine lets us log in. */
export const waitForSshOn = async (place: Place, host: HostName, seconds: number): Promise<void> => {
  await until(`ssh to ${host}`, seconds, async (tries) => {
    const port = (await readPorts(place))[host];
    // A connection that begins before the guest listens is taken and hangs for seconds after that: so ask briefly at first.
    const limit = Math.min(0.25 + tries / 10, 15);
    if (port === undefined || !(await sshdSpeaks(port, limit))) return undefined;
    const argv = [...ssh(place, host, 30), host, "true"];
    const { code } = await attempt(argv, { timeoutSeconds: 60 }).catch(() => ({ code: 255 }));
    if (code === 0) return true;
    await closeSsh(place, host);
    return undefined;
  });
};

/** Sets a machine's clock, which a snapshot turns back. */
export const setClock = async (place: Place, host: HostName): Promise<void> => {
  await runOn(place, host, `date -s @${(Date.now() / 1000).toFixed(3)} > /dev/null`);
};
