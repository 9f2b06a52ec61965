import { spawn } from "node:child_process";
import { type AddressInfo, connect, type Socket } from "node:net";
import { type Connection as Peer, Server, type ServerChannel, utils } from "ssh2";

/** A key pair in OpenSSH form; the public one as known_hosts has it. */
export interface KeyPair {
  readonly private: string;
  readonly public: string;
}

/** A new key; of a few in a thousand ssh2 writes a private part that it cannot read itself. */
export function newKey(type: "ed25519" = "ed25519"): KeyPair {
  const pair = utils.generateKeyPairSync(type);
  return utils.parseKey(pair.private) instanceof Error ? newKey(type) : pair;
}

export interface SshServer {
  readonly port: number;
  /** Commands that were asked for. */
  readonly commands: string[];
  /** Users who came in. */
  readonly users: string[];
  /** Breaks every connection without a word. */
  cut(): void;
  close(): Promise<void>;
}

/** An SSH server on loopback that lets in who has the key or the password, runs `sh`, and passes connections on. */
export async function sshServer(options: {
  hostKey: KeyPair;
  clientKey?: KeyPair;
  password?: string;
  /** Written before the shell's own first output, as a profile or a message of the day would. */
  greeting?: string;
  banner?: string;
  /** Default: a free one. */
  port?: number;
  /** Directory that is the whole PATH of what it runs. */
  path?: string;
  /** Serves a command instead of a `sh` of this machine. */
  serve?: (channel: ServerChannel) => void;
}): Promise<SshServer> {
  const commands: string[] = [];
  const users: string[] = [];
  const peers = new Set<Peer>();
  const allowed = options.clientKey && utils.parseKey(options.clientKey.public);
  const server = new Server(
    { hostKeys: [options.hostKey.private], ...(options.banner ? { banner: options.banner } : {}) },
    (peer) => {
      peers.add(peer);
      (peer as unknown as { setNoDelay(on: boolean): void }).setNoDelay(true);
      peer.on("close", () => peers.delete(peer));
      peer.on("error", () => undefined);
      peer.on("authentication", (attempt) => {
        const accept = () => {
          users.push(attempt.username);
          attempt.accept();
        };
        if (
          attempt.method === "password" &&
          options.password !== undefined &&
          attempt.password === options.password
        )
          return accept();
        if (attempt.method === "publickey" && allowed && !(allowed instanceof Error)) {
          const same = attempt.key.data.equals(allowed.getPublicSSH());
          const signed =
            !attempt.signature ||
            allowed.verify(attempt.blob as Buffer, attempt.signature, attempt.hashAlgo) === true;
          if (same && signed) return attempt.signature ? accept() : attempt.accept();
        }
        return attempt.reject(["publickey", "password"]);
      });
      peer.on("session", (accept) => {
        accept().on("exec", (acceptExec, _reject, { command }) => {
          commands.push(command);
          const channel = acceptExec();
          if (options.serve) return options.serve(channel);
          if (options.greeting) channel.write(options.greeting);
          const child = spawn("sh", ["-c", command], { env: { PATH: options.path ?? process.env.PATH } });
          channel.on("close", () => child.kill());
          child.stdin.on("error", () => undefined);
          channel.pipe(child.stdin);
          child.stdout.pipe(channel, { end: false });
          child.stderr.pipe(channel.stderr, { end: false });
          child.on("close", (code) => {
            channel.exit(code ?? 1);
            channel.end();
          });
        });
      });
      peer.on("tcpip", (accept, reject, { destIP, destPort }) => {
        const socket = connect(destPort, destIP, () => {
          const channel = accept();
          channel.pipe(socket).pipe(channel);
          channel.on("error", () => undefined);
        });
        socket.on("error", () => reject());
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    commands,
    users,
    cut: () => {
      for (const peer of peers) (peer as unknown as { _sock: Socket })._sock.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        for (const peer of peers) peer.end();
        server.close(() => resolve());
      }),
  };
}
