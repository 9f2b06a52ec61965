import { readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { backOff } from "exponential-backoff";
import { Client, type ConnectConfig } from "ssh2";
import type { Connection, Endpoint } from "./connection.js";
import { homePath } from "./home-path.js";
import { HostError } from "./host-error.js";
import { fingerprint, keyType, knownKeys, parseHostKey } from "./known-hosts.js";
import { log } from "./log.js";
import type { ShellStream } from "./remote-shell.js";
import { type Target, targetOf } from "./ssh-config.js";

/** Faults that another attempt cannot mend. */
class FinalError extends HostError {}

/** Opens a connection and on it one `sh` as root. */
export async function openShell(connection: Connection): Promise<ShellStream> {
  const target = targetOf(connection);
  const client = await dial(target);
  const asRoot = connection.sudo ?? target.user !== "root";
  return new Promise((resolve, reject) => {
    client.exec(asRoot ? "exec sudo -n sh" : "exec sh", (error, channel) => {
      if (error) {
        client.end();
        reject(new HostError(target.label, `cannot start a shell: ${error.message}`));
        return;
      }
      channel.setEncoding("latin1");
      channel.stderr.setEncoding("utf8");
      let closed = false;
      const close = () => {
        closed = true;
        client.end();
      };
      client.on("error", () => channel.destroy());
      client.on("close", () => channel.destroy());
      resolve({
        write: (text) => void (closed || channel.write(text)),
        onOutput: (listener) => void channel.on("data", listener),
        onErrors: (listener) => void channel.stderr.on("data", listener),
        onClose: (listener) =>
          void channel.on("close", () => {
            close();
            listener();
          }),
        close,
      });
    });
  });
}

/** Tries until it answers, within the limits the connection sets; what cannot get better is not tried twice. */
function dial(target: Target): Promise<Client> {
  const limit = target.given.dialErrorLimit ?? 10;
  return backOff(() => dialOnce(target), {
    numOfAttempts: limit < 0 ? Number.MAX_SAFE_INTEGER : Math.max(1, limit),
    startingDelay: 250,
    maxDelay: 5000,
    retry: (error) => !(error instanceof FinalError),
  });
}

async function dialOnce(target: Target): Promise<Client> {
  const sock = target.proxy ? await tunnel(target.proxy, target) : undefined;
  const keys = expectedKeys(target);
  let refused: FinalError | undefined;
  const client = new Client();
  const timeout = (target.given.perDialTimeout ?? 15) * 1000;
  const config: ConnectConfig = {
    host: target.host,
    port: target.port,
    username: target.user,
    readyTimeout: timeout,
    timeout,
    keepaliveInterval: 15_000,
    keepaliveCountMax: 4,
    ...credentials(target),
    ...(sock ? { sock } : {}),
    ...(keys?.length
      ? {
          algorithms: {
            serverHostKey: { prepend: algorithms(keys.map((k) => k.type)), append: [], remove: [] },
          },
        }
      : {}),
    hostVerifier: (key: Buffer) => {
      refused = refusal(target, key, keys);
      return refused === undefined;
    },
  };
  return new Promise((resolve, reject) => {
    client.once("ready", () => {
      log(() => `${target.label}: connected`);
      // an idle connection must not keep the process alive; a running script does, by its timer
      (client as unknown as { _sock?: { unref?: () => void } })._sock?.unref?.();
      resolve(client);
    });
    client.once("error", (error) => reject(refused ?? dialError(target, error)));
    client.once("close", () =>
      reject(new HostError(target.label, "the connection was closed while logging in")),
    );
    try {
      client.connect(config);
    } catch (error) {
      reject(new FinalError(target.label, `cannot use the credentials: ${(error as Error).message}`));
    }
  });
}

/** A stream to the target by way of another host. */
async function tunnel(proxy: Endpoint, target: Target): Promise<Duplex> {
  const via = await dial(targetOf(proxy));
  return new Promise((resolve, reject) => {
    via.forwardOut("127.0.0.1", 0, target.host, target.port, (error, stream) => {
      if (error) {
        via.end();
        reject(new HostError(target.label, `cannot be reached by way of ${proxy.host}: ${error.message}`));
        return;
      }
      stream.on("close", () => via.end());
      resolve(stream);
    });
  });
}

function credentials(target: Target): ConnectConfig {
  const { given, agent } = target;
  const key = given.privateKey ?? firstKey(target);
  return {
    ...(given.password ? { password: given.password, tryKeyboard: false } : {}),
    ...(key ? { privateKey: key } : {}),
    ...(given.privateKeyPassword ? { passphrase: given.privateKeyPassword } : {}),
    ...(agent && !given.privateKey && !given.privateKeyPath ? { agent } : {}),
  };
}

function firstKey({ given, identityFiles, label }: Target): Buffer | undefined {
  for (const file of identityFiles) {
    try {
      return readFileSync(homePath(file));
    } catch (error) {
      if (given.privateKeyPath) {
        throw new FinalError(
          label,
          `cannot read the private key ${file}: ${(error as Error).message}`,
          "name a file that is there by privateKeyPath",
        );
      }
    }
  }
  return undefined;
}

/** undefined where any key will do. */
function expectedKeys({ given, knownHosts, hostKeyAlias, host, port }: Target) {
  if (given.insecureIgnoreHostKey) return undefined;
  if (given.hostKey) return [parseHostKey(given.hostKey)];
  return hostKeyAlias ? knownKeys(knownHosts, hostKeyAlias, 22) : knownKeys(knownHosts, host, port);
}

// an RSA key signs by newer algorithms than its type's name says
const algorithms = (types: string[]) =>
  [
    ...new Set(types.flatMap((type) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]))),
  ] as never[];

function refusal(
  target: Target,
  key: Buffer,
  expected: ReturnType<typeof expectedKeys>,
): FinalError | undefined {
  if (!expected || expected.some(({ base64 }) => base64 === key.toString("base64"))) return undefined;
  const offered = `${keyType(key)} ${fingerprint(key)}`;
  if (expected.length === 0) {
    return new FinalError(
      target.label,
      `its host key is not known (it offers ${offered})`,
      `check the key, then add it (ssh-keyscan -p ${target.port} ${target.host} >> ~/.ssh/known_hosts) or give it as hostKey`,
    );
  }
  return new FinalError(
    target.label,
    `its host key is not the expected one (it offers ${offered})`,
    "if the host was set up anew, replace the key in known_hosts or hostKey; if not, someone may be in between",
  );
}

function dialError(target: Target, error: Error & { level?: string; code?: string }): HostError {
  const where = `${target.user}@${target.host}:${target.port}`;
  if (error.level === "client-authentication") {
    return new FinalError(
      target.label,
      `login as ${where} was refused`,
      "check user, privateKeyPath, agent or password, and that `ssh` gets in with them",
    );
  }
  if (error.level === "agent") return new FinalError(target.label, `the SSH agent failed: ${error.message}`);
  if (error.code === "ENOTFOUND")
    return new FinalError(target.label, `no such host (${target.host})`, "check connection.host");
  return new HostError(
    target.label,
    `cannot be reached at ${where}: ${error.message || error.code}`,
    "check that it is up, that sshd listens there and that no firewall is between",
  );
}
