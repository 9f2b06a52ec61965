import { readFileSync } from "node:fs";
import SSHConfig from "ssh-config";
import { type Connection, type Endpoint, hostLabel } from "./connection.js";
import { homePath } from "./home-path.js";
import { HostError } from "./host-error.js";

/** An endpoint with every default filled in from the SSH client's configuration. */
export interface Target {
  /** What the user calls it. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly identityFiles: readonly string[];
  readonly agent: string | undefined;
  readonly knownHosts: readonly string[];
  /** The name or address its key is filed under. */
  readonly hostKeyAlias: string | undefined;
  readonly proxy: Endpoint | undefined;
  readonly given: Endpoint;
}

const configPath = () => process.env.LVS_SSH_CONFIG ?? "~/.ssh/config";

function readConfig(): SSHConfig {
  try {
    return SSHConfig.parse(readFileSync(homePath(configPath()), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && !process.env.LVS_SSH_CONFIG)
      return new SSHConfig();
    throw new HostError(configPath(), `cannot read the SSH configuration: ${(error as Error).message}`);
  }
}

const list = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : value.split(/\s+/);

const defaultKnownHosts = ["~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts"];
const defaultIdentities = ["~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"];

/** What `ssh HOST` would do (ssh_config(5)), with the fields of the connection going first. */
export function targetOf(given: Endpoint & Pick<Connection, "proxy">): Target {
  // keys are looked up without regard to case, as ssh does
  const found = new Map(
    Object.entries(readConfig().compute(given.host, { ignoreCase: true })).map(([key, value]) => [
      key.toLowerCase(),
      value,
    ]),
  );
  const one = (key: string) => list(found.get(key)).join(" ") || undefined;
  const many = (key: string, otherwise: readonly string[]) => {
    const values = list(found.get(key));
    return values.length > 0 ? values : otherwise;
  };
  const jump = one("proxyjump");
  return {
    label: hostLabel(given),
    host: one("hostname") ?? given.host,
    port: given.port ?? Number(one("port") ?? 22),
    user: given.user ?? one("user") ?? "root",
    identityFiles: given.privateKeyPath ? [given.privateKeyPath] : many("identityfile", defaultIdentities),
    agent: given.agentSocketPath ?? process.env.SSH_AUTH_SOCK,
    knownHosts: given.knownHosts ? [given.knownHosts] : many("userknownhostsfile", defaultKnownHosts),
    hostKeyAlias: one("hostkeyalias"),
    proxy: given.proxy ?? (jump && jump !== "none" ? jumpEndpoint(jump) : undefined),
    given,
  };
}

// the last of several jumps; its own configuration names the ones before it
function jumpEndpoint(jump: string): Endpoint {
  const last = jump.split(",").at(-1) as string;
  const parts = /^(?:([^@]+)@)?(.+?)(?::(\d+))?$/.exec(last.trim());
  if (!parts) return { host: last };
  const [, user, host = last, port] = parts;
  return { host, ...(user ? { user } : {}), ...(port ? { port: Number(port) } : {}) };
}
