import { homedir, userInfo } from "node:os";
import { NotRetriedError } from "../errors.js";
import { plainText } from "../values/foreign.js";
import { configOf } from "./config-file.js";
import { type Endpoint, hostLabel, maxJumps } from "./connection.js";
import { homePath } from "./home-path.js";

/** An endpoint with all defaults from the SSH client's configuration. */
export interface Target {
  /** The name that the user gives. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly identityFiles: readonly string[];
  readonly agent: string | undefined;
  /** Whether only those keys of the agent are used that the identity files name. */
  readonly identitiesOnly: boolean;
  /** Certificates that the configuration names. */
  readonly certificates: readonly string[];
  readonly knownHosts: readonly string[];
  /** The name or address of its key in known_hosts. */
  readonly hostKeyAlias: string | undefined;
  readonly proxy: Target | undefined;
  readonly given: Endpoint;
}

const defaultKnownHosts = "~/.ssh/known_hosts";
const globalKnownHosts = "/etc/ssh/ssh_known_hosts";
const defaultIdentities = ["~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"];

/** Returns what `ssh HOST` would use (ssh_config(5)). The fields of the connection take precedence. */
export const targetOf = (given: Endpoint): Target => resolve(given, []);

function resolve(given: Endpoint, before: readonly string[]): Target {
  const label = hostLabel(given);
  const found = configOf(given.host);
  const one = (key: string) => found.get(key)?.join(" ") || undefined;
  const many = (key: string, otherwise: readonly string[]) => {
    const values = (found.get(key) ?? []).filter((value) => value !== "none");
    return found.has(key) ? values : otherwise;
  };
  const port = given.port ?? Number(one("port") ?? 22);
  const user = given.user ?? one("user") ?? "root";
  const host = expand(one("hostname") ?? given.host, { "%h": given.host });
  const tokens = {
    "%h": host,
    "%n": given.host,
    "%p": String(port),
    "%r": user,
    "%d": homedir(),
    "%u": localUser(),
  };
  if (!given.proxy && !found.has("proxyjump")) refuseCommand(one("proxycommand"), label);
  const path = (value: string) =>
    expand(value, tokens).replaceAll(/\$\{(\w+)\}/g, (_, name: string) => env(name) ?? "");
  return {
    label,
    host,
    port,
    user,
    identityFiles: given.privateKeyPath
      ? [given.privateKeyPath]
      : many("identityfile", defaultIdentities).map(path),
    agent:
      given.agentSocketPath === undefined
        ? agentOf(path(one("identityagent") ?? "SSH_AUTH_SOCK"))
        : homePath(given.agentSocketPath),
    identitiesOnly: one("identitiesonly")?.toLowerCase() === "yes" && !given.agentSocketPath,
    certificates: many("certificatefile", []).map(path),
    knownHosts: given.knownHosts
      ? [given.knownHosts]
      : [
          ...many("userknownhostsfile", [defaultKnownHosts]),
          ...many("globalknownhostsfile", [globalKnownHosts]),
        ].map(path),
    hostKeyAlias: one("hostkeyalias"),
    proxy: jumpOf(given, one("proxyjump"), [...before, JSON.stringify([given.host, port])], label),
    given,
  };
}

function jumpOf(
  given: Endpoint,
  configured: string | undefined,
  path: readonly string[],
  label: string,
): Target | undefined {
  const jump = given.proxy ?? (configured === undefined ? undefined : chain(configured, label));
  if (!jump) return undefined;
  // An entry for all hosts also applies to the jump host. As in ssh, it does not jump to itself.
  if (!given.proxy && jump.host === given.host && samePort(jump, path)) return undefined;
  if (path.length > maxJumps) {
    throw new NotRetriedError(
      label,
      `goes through more than ${maxJumps} hosts`,
      "see whether entries of ProxyJump in the SSH configuration name one another in a circle",
    );
  }
  return resolve(jump, path);
}

/** Refuses a ProxyCommand. Without it the host would be tried directly, and often cannot be reached so. */
function refuseCommand(command: string | undefined, label: string): void {
  if (command === undefined || command.toLowerCase() === "none") return;
  throw new NotRetriedError(
    label,
    `its ProxyCommand ${plainText(command, 200)} in the SSH configuration is not supported`,
    "name the jump host by ProxyJump there or by proxy in the connection, or write ProxyJump none to connect directly",
  );
}

const samePort = ({ host, port }: Endpoint, path: readonly string[]): boolean =>
  port === undefined || path.at(-1) === JSON.stringify([host, port]);

/** Parses `a,b`: a leads to b, and b leads to the host. */
function chain(jumps: string, label: string): Endpoint | undefined {
  if (jumps.toLowerCase() === "none") return undefined;
  return jumps
    .split(",")
    .map((jump) => endpointOf(jump.trim(), label))
    .reduce((proxy, jump) => ({ ...jump, proxy }));
}

/** Parses `[user@]host[:port]` or `ssh://[user@]host[:port]`. An IPv6 address before a port has brackets. */
function endpointOf(jump: string, label: string): Endpoint {
  const text = jump.replace(/^ssh:\/\//i, "").replace(/\/$/, "");
  const parts = /^(?:(.+)@)?(?:\[([^\]]+)\]|([^:[\]]+)|([^[\]]*:[^[\]]*:[^[\]]*))(?::(\d+))?$/.exec(text);
  const [, user, bracketed, name, address, port] = parts ?? [];
  const host = bracketed ?? name ?? address;
  if (host === undefined || host === "")
    throw new NotRetriedError(
      label,
      `ProxyJump ${JSON.stringify(jump)} is not a host to go through`,
      "write HOST, USER@HOST or USER@HOST:PORT in the SSH configuration, with commas between several",
    );
  return { host, ...(user ? { user } : {}), ...(port ? { port: Number(port) } : {}) };
}

/** Returns the socket of an agent, from its path or from the environment variable that names it. */
function agentOf(value: string): string | undefined {
  if (value.toLowerCase() === "none") return undefined;
  if (value === "SSH_AUTH_SOCK") return env(value);
  return value.startsWith("$") ? env(value.slice(1)) : homePath(value);
}

const env = (name: string): string | undefined => process.env[name] || undefined;

const expand = (text: string, tokens: Readonly<Record<string, string>>): string =>
  text.replaceAll(/%./g, (token) => (token === "%%" ? "%" : (tokens[token] ?? token)));

// The user of a container may have no name.
function localUser(): string {
  try {
    return userInfo().username;
  } catch {
    return env("USER") ?? "";
  }
}
