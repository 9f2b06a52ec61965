import { spawn } from "node:child_process";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import {
  type Algorithms,
  type AuthenticationType,
  type Connection as Peer,
  Server,
  type ServerChannel,
  utils,
} from "ssh2";
import type { ShellStream } from "../../../src/ssh/shell-stream.js";

/** A key pair in OpenSSH form; the public one as known_hosts has it. */
export interface KeyPair {
  readonly private: string;
  readonly public: string;
}

/**
 * A new key pair; of a type other than ed25519, or under a passphrase, on demand. Of a few in a thousand ssh2 writes a private
 * part that it cannot read itself.
 */
export function newKey(type: "ed25519" | "ecdsa" | "rsa" = "ed25519", passphrase?: string): KeyPair {
  const secrecy = passphrase === undefined ? {} : { passphrase, cipher: "aes256-ctr", rounds: 1 };
  const options = type === "ed25519" ? secrecy : { bits: type === "rsa" ? 2048 : 256, ...secrecy };
  for (;;) {
    const made = utils.generateKeyPairSync(type as never, options as never);
    // of some hundred keys the library writes one that it cannot read
    if (!(utils.parseKey(made.private, passphrase) instanceof Error)) return made;
  }
}

export interface SshServer {
  readonly port: number;
  /** Commands that were asked for. */
  readonly commands: string[];
  /** Commands and everything that was written to them. */
  readonly received: string;
  /** Users who came in. */
  readonly users: string[];
  /** Connections that were made, with those that were dropped. */
  readonly connections: number;
  /** Most handshakes, and most sessions on one connection, that there were at a time. */
  readonly most: { readonly handshakes: number; readonly sessions: number };
  /** Lets in who has this key instead. */
  allow(key: KeyPair): void;
  /** Cuts every connection that is open. */
  cut(): void;
  close(): Promise<void>;
}

export interface ServerOptions {
  hostKey: KeyPair;
  /** Further host keys. */
  otherKeys?: readonly KeyPair[];
  clientKey?: KeyPair;
  password?: string;
  /** Ways to log in that it names; password and keyboard-interactive work only where they are named. */
  takes?: readonly AuthenticationType[];
  /** What it asks of who logs in by keyboard-interactive, round by round; the first answer must be the password. */
  questions?: readonly string[];
  /** Written before the shell's own first output, as a profile or a message of the day would. */
  greeting?: string;
  banner?: string;
  /** What it offers in the key exchange. Default: the library's. */
  algorithms?: Algorithms;
  /** Hears of each client before it does anything. */
  onPeer?: (peer: Peer) => void;
  /** Says not which signatures it takes, as old ones do. */
  silentOnSignatures?: boolean;
  /** Default: a free one. */
  port?: number;
  /** Directory that is the whole PATH of what it runs. */
  path?: string;
  /** Further variables of what it runs. */
  env?: Readonly<Record<string, string>>;
  /** How many connections it drops at first, and when: at once, as MaxStartups has it, in the key exchange, after login, or when a session is asked for. */
  drops?: { readonly connections: number; readonly at: "once" | "exchange" | "login" | "session" };
  /** Milliseconds after which it begins to answer. */
  slowness?: number;
  /** It begins to answer a connection when this resolves. */
  hold?: () => Promise<void>;
  /** Sessions that it allows per connection. Default 10. */
  maxSessions?: number;
  /** Whether it passes connections on. Default true. */
  forwards?: boolean;
  /** Runs commands instead of `sh`, as a fake host does. */
  shell?: () => ShellStream;
  /** Asks for a new password instead of letting in. */
  expired?: boolean;
  /** Serves a command instead of a `sh` of this machine. */
  serve?: (channel: ServerChannel) => void;
}

/** An SSH server on loopback that lets in who has the key or the password, runs `sh`, and passes connections on. */
export async function sshServer(options: ServerOptions): Promise<SshServer> {
  const { takes = ["publickey", "password"], drops, maxSessions = 10 } = options;
  const commands: string[] = [];
  const users: string[] = [];
  const peers = new Set<Peer>();
  const sockets = new Set<Socket>();
  const most = { handshakes: 0, sessions: 0 };
  let received = "";
  let connections = 0;
  const shaking = new Set<number>();
  const shaken = (port: number) => void shaking.delete(port);
  let dropped = 0;
  let allowed = options.clientKey && utils.parseKey(options.clientKey.public);
  const ssh = new Server(
    {
      hostKeys: [options.hostKey, ...(options.otherKeys ?? [])].map((key) => key.private),
      ...(options.banner ? { banner: options.banner } : {}),
      ...(options.algorithms ? { algorithms: options.algorithms } : {}),
    },
    (peer, { port }) => {
      peers.add(peer);
      if (options.silentOnSignatures) silence(peer);
      options.onPeer?.(peer);
      peer.on("ready", () => shaken(port));
      peer.on("close", () => peers.delete(peer));
      peer.on("error", () => undefined);
      peer.on("authentication", (attempt) => {
        const accept = () => {
          if (drops?.at === "login" && dropped++ < drops.connections) return peer.end();
          users.push(attempt.username);
          attempt.accept();
        };
        const reject = () => attempt.reject([...takes]);
        if (!takes.includes(attempt.method)) return reject();
        if (attempt.method === "password") {
          if (options.expired) return attempt.requestChange("too old", () => undefined);
          return options.password !== undefined && attempt.password === options.password
            ? accept()
            : reject();
        }
        if (attempt.method === "keyboard-interactive") {
          const [first = "Password: ", ...others] = options.questions ?? [];
          attempt.prompt([{ prompt: first, echo: false }], ([answer]) => {
            if (answer !== options.password) return reject();
            if (others.length === 0) return accept();
            attempt.prompt(
              others.map((prompt) => ({ prompt, echo: false })),
              reject,
            );
          });
          return;
        }
        if (attempt.method === "publickey" && allowed && !(allowed instanceof Error)) {
          const same = attempt.key.data.equals(allowed.getPublicSSH());
          const signed =
            !attempt.signature ||
            allowed.verify(attempt.blob as Buffer, attempt.signature, attempt.hashAlgo) === true;
          if (same && signed) return attempt.signature ? accept() : attempt.accept();
        }
        reject();
      });
      let sessions = 0;
      peer.on("session", (accept, reject) => {
        if (drops?.at === "session" && dropped++ < drops.connections) return void peer.end();
        if (sessions >= maxSessions) return void reject();
        sessions++;
        most.sessions = Math.max(most.sessions, sessions);
        accept().on("exec", (acceptExec, _reject, { command }) => {
          commands.push(command);
          const channel = acceptExec();
          if (options.serve) return options.serve(channel);
          received += `${command}\n`;
          channel.on("data", (data: Buffer) => {
            received += data.toString("latin1");
          });
          if (options.greeting) channel.write(options.greeting);
          if (options.shell) return join(channel, options.shell());
          const child = spawn("sh", ["-c", command], {
            env: { PATH: options.path ?? process.env.PATH, ...options.env },
          });
          channel.on("close", () => {
            sessions--;
            child.kill();
          });
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
      if (options.forwards === false) return;
      peer.on("tcpip", (accept, reject, { destIP, destPort }) => {
        const socket = connect({ port: destPort, host: destIP, noDelay: true }, () => {
          const channel = accept();
          channel.pipe(socket).pipe(channel);
          channel.on("error", () => undefined);
          channel.on("close", () => socket.destroy());
        });
        socket.on("error", () => reject());
      });
    },
  );
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    connections++;
    if (drops && drops.at !== "login" && drops.at !== "session" && connections <= drops.connections) {
      if (drops.at === "once") return void socket.end("Exceeded MaxStartups\r\n");
      socket.write("SSH-2.0-OpenSSH_9.2p1\r\n");
      socket.once("data", () => socket.destroy());
      return;
    }
    const { remotePort = 0 } = socket;
    shaking.add(remotePort);
    most.handshakes = Math.max(most.handshakes, shaking.size);
    socket.on("close", () => shaken(remotePort));
    const answer = () => void ssh.injectSocket(socket as never);
    if (options.hold) void options.hold().then(answer);
    else setTimeout(answer, options.slowness ?? 0);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    commands,
    users,
    get connections() {
      return connections;
    },
    get received() {
      return received;
    },
    most,
    allow: (key) => {
      allowed = utils.parseKey(key.public);
    },
    cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const peer of peers) peer.end();
        cut();
      }),
  };
}

/** Keeps the library from telling which signatures it takes (RFC 8308). */
function silence(peer: Peer): void {
  const { _protocol: protocol } = peer as unknown as { _protocol: object };
  let exchange: unknown;
  Object.defineProperty(protocol, "_kex", {
    get: () => exchange,
    set: (value: unknown) => {
      exchange = value;
      if (value)
        Object.defineProperty(value, "remoteExtInfoEnabled", { get: () => false, set: () => undefined });
    },
  });
}

/** Where a script of ours ends. */
const scriptEnd = /(?:\n\) <\/dev\/null|done")\n$/;

/** A fake host takes a script in one piece, however many pieces it came in. */
function join(channel: ServerChannel, shell: ShellStream): void {
  let script = "";
  let timer: NodeJS.Timeout | undefined;
  channel.setEncoding("utf8");
  channel.on("data", (text: string) => {
    script += text;
    clearTimeout(timer);
    const flush = () => {
      shell.write(script);
      script = "";
    };
    if (scriptEnd.test(script)) flush();
    else timer = setTimeout(flush, 1000);
  });
  shell.onOutput((text) => void channel.write(text, "latin1"));
  shell.onErrors((text) => void channel.stderr.write(text));
  shell.onClose(() => channel.close());
  channel.on("close", () => shell.close());
}
