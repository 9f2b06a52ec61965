import { readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { backOff } from "exponential-backoff";
import { type AuthenticationType, Client, type ConnectConfig, utils } from "ssh2";
import type { Connection, Endpoint } from "./connection.js";
import { homePath } from "./home-path.js";
import { FinalError, HostError } from "./host-error.js";
import { algorithms, expectedKeys, refusal } from "./host-key.js";
import { log } from "./log.js";
import type { ShellStream } from "./remote-shell.js";
import { type Target, targetOf } from "./ssh-config.js";

/** Seconds that a host may take to start a shell once it let us in. */
const shellSeconds = 30;

// so that a log tells one connection from the next
let opened = 0;

/** Opens a connection and on it one `sh` as root. */
export async function openShell(connection: Connection): Promise<ShellStream> {
  const target = targetOf(connection);
  const client = await dial(target);
  const asRoot = connection.sudo ?? target.user !== "root";
  return new Promise((resolve, reject) => {
    const patience = setTimeout(() => {
      client.end();
      reject(
        new HostError(
          target.label,
          "it let us log in, but starts no shell",
          "see what its sshd and the user's login shell say",
        ),
      );
    }, shellSeconds * 1000);
    client.exec(asRoot ? "exec sudo -n sh" : "exec sh", (error, channel) => {
      clearTimeout(patience);
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
            serverHostKey: {
              prepend: algorithms(keys.map((k) => k.type)) as never[],
              append: [],
              remove: [],
            },
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
      opened++;
      log(() => `${target.label}: connection ${opened}`);
      // an idle connection must not keep the process alive; a running script does, by its timer
      (client as unknown as { _sock?: { unref?: () => void } })._sock?.unref?.();
      resolve(client);
    });
    // a script goes out in one piece, and its answer is waited for
    client.on("connect", () => client.setNoDelay(true));
    // one fault may bring several errors, and one that nobody hears ends the process
    client.on("error", (error) => reject(refused ?? dialError(target, error)));
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

/** Ways to log in, in the order they are tried: keys, then the agent's, then the password. */
function credentials(target: Target): ConnectConfig {
  const { given, agent, user: username } = target;
  const { password, privateKeyPassword: passphrase } = given;
  const keys = given.privateKey ? [given.privateKey] : keyFiles(target);
  const authHandler: AuthenticationType[] | object[] = [
    ...keys
      .flatMap((key) => usableKey(target, key))
      .map((key) => ({ type: "publickey", username, key, passphrase })),
    ...(agent && !given.privateKey && !given.privateKeyPath ? [{ type: "agent", username, agent }] : []),
    ...(password ? [{ type: "password", username, password }] : []),
  ];
  if (authHandler.length === 0) {
    throw new FinalError(
      target.label,
      "there is no key, no agent and no password to log in with",
      "give privateKeyPath, start an SSH agent, or name an IdentityFile in the SSH configuration",
    );
  }
  return { authHandler: authHandler as never };
}

/** A key that was asked for must be readable; one that only the SSH configuration names is passed over, as ssh does. */
function usableKey({ given, label }: Target, key: string | Buffer): (string | Buffer)[] {
  const parsed = utils.parseKey(key, given.privateKeyPassword);
  if (!(parsed instanceof Error)) return [key];
  if (!given.privateKey && !given.privateKeyPath) return [];
  throw new FinalError(
    label,
    `cannot use the private key: ${parsed.message}`,
    "check that it is one, and its privateKeyPassword",
  );
}

function keyFiles({ given, identityFiles, label }: Target): Buffer[] {
  return identityFiles.flatMap((file) => {
    try {
      return [readFileSync(homePath(file))];
    } catch (error) {
      if (!given.privateKeyPath) return [];
      throw new FinalError(
        label,
        `cannot read the private key ${file}: ${(error as Error).message}`,
        "name a file that is there by privateKeyPath",
      );
    }
  });
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
