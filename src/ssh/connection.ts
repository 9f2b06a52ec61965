import { z } from "zod";
import { isPlain } from "../values/foreign.js";
import { show } from "../values/problem.js";
import { parseHostKey } from "./known-hosts.js";

const text = z.string().min(1).max(4096).refine(isPlain, "has invalid characters");

// The value may be a password in the place of the whole connection.
const closed = {
  error: ({ code, input }: { code: string; input?: unknown }) =>
    code === "unrecognized_keys" ? undefined : input === undefined ? "is missing" : "is not a map",
};

// Messages show a wrong value, but not a secret.
const secret = z.string({ error: "is not a text" }).min(1, "must not be empty");

const hostName = z
  .string()
  .refine((value) => /^[A-Za-z0-9_.:%-]{1,255}$/.test(value) && !value.startsWith("-"), {
    error: ({ input }) => `${show(input)} is not a host name or address`,
  });

const variable = z.string().refine((value) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(value), {
  error: "is not the name of an environment variable",
});

// Users put the key itself into this field, and no message may show it.
const fileName = text.refine((value) => !/[\r\n]|PRIVATE KEY/.test(value), {
  error: "is not the name of a file (a key itself goes in privateKey)",
});

const publicKey = text.refine((value) => parseHostKey(value) !== undefined, {
  error: "is not a public key, such as ssh-ed25519 AAAA…",
});

const fields = {
  host: hostName,
  port: z.number().int().min(1).max(65535).optional(),
  user: text.optional(),
  password: secret.optional(),
  passwordEnv: variable.optional(),
  privateKey: secret.optional(),
  privateKeyEnv: variable.optional(),
  privateKeyPassword: secret.optional(),
  privateKeyPasswordEnv: variable.optional(),
  privateKeyPath: fileName.optional(),
  agentSocketPath: text.optional(),
  hostKey: publicKey.optional(),
  knownHosts: text.optional(),
  insecureIgnoreHostKey: z.boolean().optional(),
  insecureAllowSha1: z.boolean().optional(),
  dialErrorLimit: z.number().int().min(-1).optional(),
  perDialTimeout: z.number().int().min(0).optional(),
};

/** Fields that exclude one another. */
const alternatives = [
  ["password", "passwordEnv"],
  ["privateKey", "privateKeyEnv"],
  ["privateKey", "privateKeyPath"],
  ["privateKeyEnv", "privateKeyPath"],
  ["privateKeyPassword", "privateKeyPasswordEnv"],
] as const;

const eachOnce = z.check<Partial<Endpoint>>(({ value, issues }) => {
  const refuse = (path: keyof Endpoint, message: string) =>
    issues.push({ code: "custom", path: [path], message, input: undefined });
  for (const [one, other] of alternatives)
    if (value[one] !== undefined && value[other] !== undefined) refuse(other, `cannot stand beside ${one}`);
  // One names the right key, the other accepts any.
  if (value.hostKey !== undefined && value.insecureIgnoreHostKey === true)
    refuse("insecureIgnoreHostKey", "cannot be true beside hostKey");
});

const endpoint: z.ZodType<Endpoint, Endpoint> = z.lazy(() =>
  z.strictObject({ ...fields, proxy: endpoint.optional() }, closed).check(eachOnce),
);

/** Number of jump hosts that a connection may have. More are a mistake. */
export const maxJumps = 8;

const jumps = (given: Endpoint): number => (given.proxy ? 1 + jumps(given.proxy) : 0);

/** How to reach a host; see `Connection`. @internal */
export const connection = z
  .strictObject(
    {
      ...fields,
      proxy: endpoint.optional(),
      sudo: z.boolean().optional(),
      operationTimeout: z.number().int().min(1).max(3600).optional(),
    },
    closed,
  )
  .check(eachOnce)
  .refine((given) => jumps(given) <= maxJumps, {
    path: ["proxy"],
    error: `goes through more than ${maxJumps} hosts`,
  });

/** How to reach one machine by SSH. Fields are named as in @pulumi/command's remote connection. */
export interface Endpoint {
  /**
   * Name or address, or a `Host` of the SSH client's configuration (`~/.ssh/config`, or the file in
   * `LVS_SSH_CONFIG`).
   */
  host: string;
  /** TCP port, 1-65535. Default: the SSH configuration's, else 22. */
  port?: number | undefined;
  /** User to log in as. Default: the SSH configuration's, else root. */
  user?: string | undefined;
  /**
   * Password, kept as a secret. A reference is safer: `passwordEnv`, an agent or `privateKeyPath`. Default:
   * none.
   */
  password?: string | undefined;
  /**
   * Name of an environment variable that holds the password. It is read at each run and never stored.
   * Default: none.
   */
  passwordEnv?: string | undefined;
  /**
   * Private key in PEM or OpenSSH form, kept as a secret. A reference is safer: `privateKeyPath` or an agent.
   * Default: none.
   */
  privateKey?: string | undefined;
  /**
   * Name of an environment variable that holds the private key. It is read at each run and never stored.
   * Default: none.
   */
  privateKeyEnv?: string | undefined;
  /** Passphrase of the private key, kept as a secret. Default: none. */
  privateKeyPassword?: string | undefined;
  /**
   * Name of an environment variable that holds the passphrase. It is read at each run and never stored.
   * Default: none.
   */
  privateKeyPasswordEnv?: string | undefined;
  /**
   * File with the private key. It is read at each run, so it may change between `up` and `destroy`. `~/` is
   * the home directory. Default: `IdentityFile` of the SSH configuration, else `~/.ssh/id_ed25519`, `id_ecdsa`
   * and `id_rsa`.
   */
  privateKeyPath?: string | undefined;
  /** Socket of an SSH agent. Default: the SSH configuration's `IdentityAgent`, else `SSH_AUTH_SOCK`. */
  agentSocketPath?: string | undefined;
  /**
   * The host's public key (`ssh-ed25519 AAAA…`). The host must prove that it has the private one. Default: the
   * keys in `knownHosts`.
   */
  hostKey?: string | undefined;
  /**
   * File of known host keys. Default: `UserKnownHostsFile` of the SSH configuration, else
   * `~/.ssh/known_hosts`, and `GlobalKnownHostsFile`, else `/etc/ssh/ssh_known_hosts`.
   */
  knownHosts?: string | undefined;
  /** Accept any host key. Default false: refuse an unknown or changed key. Excludes `hostKey`. */
  insecureIgnoreHostKey?: boolean | undefined;
  /**
   * Allow algorithms with SHA-1 (host keys and login by `ssh-rsa`, `hmac-sha1`, key exchanges). Default
   * false.
   */
  insecureAllowSha1?: boolean | undefined;
  /**
   * Number of failed attempts to connect that are accepted, with pauses of 0.25 to 10 seconds. -1 is no
   * limit. Default 10.
   */
  dialErrorLimit?: number | undefined;
  /** Seconds to wait for each attempt. 0 is no limit. Default 15. */
  perDialTimeout?: number | undefined;
  /**
   * A jump host with the fields of Connection but `sudo` and `operationTimeout`. It may have a `proxy` of its
   * own, up to eight in all. Default: `ProxyJump` of the SSH configuration.
   */
  proxy?: Endpoint | undefined;
}

/** How to reach a host. Two connections with the same `host` and `port` are one host. */
export interface Connection extends Endpoint {
  /**
   * Become root with `sudo -n sh`. The line in sudoers that allows it means root. Default: true
   * if the user is not root.
   */
  sudo?: boolean | undefined;
  /**
   * Seconds, 1-3600, that one batch of changes may take on the host, after it has the lock. Then the running
   * command is killed and the batch is undone. Default 120.
   */
  operationTimeout?: number | undefined;
}

/** Returns the name of a host in ids and messages: `director1`, or `director1:2222`. */
export const hostLabel = ({ host, port }: Pick<Endpoint, "host" | "port">): string => {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === undefined || port === 22 ? name : `${name}:${port}`;
};

/** Fields that are secret wherever a connection is stored. */
export const secretFields = ["password", "privateKey", "privateKeyPassword"] as const;
