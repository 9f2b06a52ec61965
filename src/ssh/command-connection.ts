import { HostError } from "../errors.js";
import type { Connection } from "./connection.js";
import { filedKeys } from "./host-key.js";
import { maxKeyFile, readIfThere, readRegularFile } from "./read-file.js";
import { secretOf } from "./secret.js";
import { type Target, targetOf } from "./target.js";

/**
 * Returns the connection for @pulumi/command, which does not read the SSH configuration, key files and known
 * hosts.
 */
export function commandConnection(connection: Connection): Record<string, unknown> {
  const target = targetOf(connection);
  if (target.proxy?.proxy) {
    throw new HostError(
      target.label,
      `it is reached by way of ${target.proxy.proxy.label} and ${target.proxy.label}, and @pulumi/command goes through one host at most`,
      "leave out `packages` and install them by other means",
    );
  }
  return fieldsOf(target);
}

function fieldsOf(target: Target): Record<string, unknown> {
  const { given } = target;
  const [known] = filedKeys(target);
  // Without a host key @pulumi/command accepts any.
  if (!given.hostKey && !known && !given.insecureIgnoreHostKey) {
    throw new HostError(
      target.label,
      "its host key is not known",
      "add it to known_hosts, or give it as hostKey",
    );
  }
  const fields = {
    host: target.host,
    port: target.port,
    user: target.user,
    password: secretOf(target, "password", "passwordEnv"),
    privateKey: secretOf(target, "privateKey", "privateKeyEnv") ?? firstKeyFile(target),
    privateKeyPassword: secretOf(target, "privateKeyPassword", "privateKeyPasswordEnv"),
    // @pulumi/command reads SSH_AUTH_SOCK by itself.
    agentSocketPath: target.agent === process.env.SSH_AUTH_SOCK ? undefined : target.agent,
    hostKey: given.hostKey ?? (known && `${known.type} ${known.base64}`),
    dialErrorLimit: given.dialErrorLimit,
    perDialTimeout: given.perDialTimeout,
    proxy: target.proxy && fieldsOf(target.proxy),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/**
 * Returns the key file that the connection names, which must be readable, or the first existing one of the
 * SSH configuration.
 */
function firstKeyFile({ given, label, identityFiles }: Target): string | undefined {
  const read = given.privateKeyPath === undefined ? readIfThere : readRegularFile;
  for (const file of identityFiles) {
    try {
      const text = read(file, maxKeyFile);
      if (text !== undefined) return text.toString("utf8");
    } catch (error) {
      throw new HostError(
        label,
        `cannot read the private key ${file}: ${(error as Error).message}`,
        "name a file with a private key by privateKeyPath",
      );
    }
  }
  return undefined;
}
