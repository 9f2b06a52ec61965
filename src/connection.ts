import { z } from "zod";
import { show } from "./problems.js";

const text = z.string().min(1);

// a value that is wrong is shown, but for a secret's
const secret = z.string({ error: "is not a text" }).min(1, "must not be empty");

const hostName = z
  .string()
  .refine((value) => /^[A-Za-z0-9_.:%-]{1,255}$/.test(value) && !value.startsWith("-"), {
    error: ({ input }) => `${show(input)} is no host name or address`,
  });

const endpoint = {
  host: hostName,
  port: z.number().int().min(1).max(65535).optional(),
  user: text.optional(),
  password: secret.optional(),
  privateKey: secret.optional(),
  privateKeyPassword: secret.optional(),
  privateKeyPath: text.optional(),
  agentSocketPath: text.optional(),
  hostKey: text.optional(),
  knownHosts: text.optional(),
  insecureIgnoreHostKey: z.boolean().optional(),
  dialErrorLimit: z.number().int().min(-1).optional(),
  perDialTimeout: z.number().int().min(0).optional(),
};

/** How to reach a host; see `Connection`. */
export const connection = z.strictObject({
  ...endpoint,
  sudo: z.boolean().optional(),
  operationTimeout: z.number().int().min(1).max(3600).optional(),
  proxy: z.strictObject(endpoint).optional(),
});

/** How to reach one machine by SSH. Fields have the names and meanings of @pulumi/command's remote connection. */
export interface Endpoint {
  /** Name or address, or a `Host` of the SSH client's configuration (`~/.ssh/config`, or the file `LVS_SSH_CONFIG` names). */
  host: string;
  /** TCP port. Default: the SSH configuration's, else 22. */
  port?: number | undefined;
  /** User to log in as. Default: the SSH configuration's, else root. */
  user?: string | undefined;
  /** Password; kept as a secret. Better by reference: an agent or `privateKeyPath`. */
  password?: string | undefined;
  /** Private key in PEM or OpenSSH form; kept as a secret. Better by reference. */
  privateKey?: string | undefined;
  /** Passphrase of the private key; kept as a secret. */
  privateKeyPassword?: string | undefined;
  /** File with the private key, read at each run, so that it may change between `up` and `destroy`. `~/` is the home directory. */
  privateKeyPath?: string | undefined;
  /** Socket of an SSH agent. Default: the environment's `SSH_AUTH_SOCK`. */
  agentSocketPath?: string | undefined;
  /** The host's public key (`ssh-ed25519 AAAA…`), which it must prove to own. */
  hostKey?: string | undefined;
  /** File of known host keys. Default: the SSH configuration's, else `~/.ssh/known_hosts`. */
  knownHosts?: string | undefined;
  /** Accept any host key. Default false: an unknown or changed key is refused. */
  insecureIgnoreHostKey?: boolean | undefined;
  /** How many failed attempts to connect to accept; -1 is no limit. Default 10. */
  dialErrorLimit?: number | undefined;
  /** Seconds to wait for each attempt; 0 is no limit. Default 15. */
  perDialTimeout?: number | undefined;
}

/** How to reach a host. Two connections with one `host` and `port` are one host. */
export interface Connection extends Endpoint {
  /** Become root with `sudo -n`. Default: when the user is not root. */
  sudo?: boolean | undefined;
  /**
   * Seconds, 1-3600, that one batch of changes may take on the host, once it is its turn. Then what runs is ended, and what was
   * begun is taken back. Default 120.
   */
  operationTimeout?: number | undefined;
  /** A host to go through (ProxyJump). */
  proxy?: Endpoint | undefined;
}

/** What a host is called in ids and messages: `director1`, or `director1:2222`. */
export const hostLabel = ({ host, port }: Pick<Endpoint, "host" | "port">): string => {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === undefined || port === 22 ? name : `${name}:${port}`;
};

/** Fields that are secret wherever a connection is kept. */
export const secretFields = ["password", "privateKey", "privateKeyPassword"] as const;
