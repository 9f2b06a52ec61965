import { existsSync, readFileSync } from "node:fs";
import type { Connection, Endpoint } from "./connection.js";
import { homePath } from "./home-path.js";
import { HostError } from "./host-error.js";
import { filedKeys } from "./host-key.js";
import { targetOf } from "./ssh-config.js";

/** The connection as @pulumi/command takes it, which knows nothing of the SSH configuration, key files and known hosts. */
export function commandConnection(connection: Connection): Record<string, unknown> {
  const plainOf = (given: Endpoint & Pick<Connection, "proxy">): Record<string, unknown> => {
    const target = targetOf(given);
    const {
      password,
      privateKey,
      privateKeyPassword,
      agentSocketPath,
      hostKey,
      dialErrorLimit,
      perDialTimeout,
    } = given;
    const file = target.identityFiles.find((name) => given.privateKeyPath || existsSync(homePath(name)));
    const [known] = filedKeys(target);
    // without one, @pulumi/command accepts any
    if (!hostKey && !known && !given.insecureIgnoreHostKey) {
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
      password,
      privateKey: privateKey ?? (file === undefined ? undefined : readFileSync(homePath(file), "utf8")),
      privateKeyPassword,
      agentSocketPath,
      hostKey: hostKey ?? (known && `${known.type} ${known.base64}`),
      dialErrorLimit,
      perDialTimeout,
      proxy: target.proxy && plainOf(target.proxy),
    };
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  };
  return plainOf(connection);
}
