import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Client, type ConnectConfig } from "ssh2";
import { FinalError, HostError, linesSaid } from "../errors.js";
import { log } from "../log.js";
import { plainText } from "../values/foreign.js";
import { algorithmsFor } from "./algorithms.js";
import { dialError } from "./dial-error.js";
import { expectedKeys, refusal } from "./host-key.js";
import { Jumps, type Lease } from "./jumps.js";
import { bannerLength } from "./limits.js";
import { type Login, loginOf, onlySha1 } from "./login.js";
import { Meter } from "./meter.js";
import { retrying } from "./retry.js";
import { Gate } from "./semaphore.js";
import type { Target } from "./target.js";

/** Handshakes that go on at once: fewer than sshd's MaxStartups lets in, and all that the others wait for. */
const handshakes = new Gate(8);

/** A jump host's connection is kept for 20 s after the last use. */
const jumps = new Jumps<Client>(20_000);

// so that a log tells one connection from the next
let opened = 0;

/** What sshd says while it lets nobody in but root (pam_nologin). */
export const notYet = /System is (?:booting up|going down)|not permitted to log in/i;

/** Connects once and logs in. */
export async function dial(target: Target): Promise<Client> {
  // what cannot work is told before anybody is asked
  const login = loginOf(target);
  if (!target.proxy) return handshakes.pass(() => handshake(target, login));
  const jump = await jumpTo(target.proxy, target);
  try {
    return await handshakes.pass(async () => {
      const sock = await tunnel(jump, target);
      try {
        const client = await handshake(target, login, sock, meters.get(jump.client));
        client.once("close", jump.release);
        return client;
      } catch (error) {
        sock.destroy();
        throw error;
      }
    });
  } catch (error) {
    jump.release();
    throw error;
  }
}

const viaOf = (target: Target): unknown[] => [
  target.host,
  target.port,
  target.user,
  Object.entries(target.given).sort(),
  target.proxy && viaOf(target.proxy),
];

/** The connection to a jump host, shared by all that go through it; its own limits count for it. */
async function jumpTo(proxy: Target, target: Target): Promise<Lease<Client>> {
  try {
    return await jumps.lease(JSON.stringify(viaOf(proxy)), () => retrying(proxy, () => dial(proxy)));
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    // it was tried often enough
    throw new FinalError(
      target.label,
      `cannot be reached by way of ${proxy.label}: ${error.reason}`,
      error.remedy,
    );
  }
}

/** A stream to the target from the jump host; no session there, so its MaxSessions does not count. */
function tunnel(jump: Lease<Client>, target: Target): Promise<Duplex> {
  const seconds = target.given.perDialTimeout ?? 15;
  const by = `cannot be reached by way of ${target.proxy?.label}`;
  return new Promise((resolve, reject) => {
    const lost = (why: string) => {
      jump.drop();
      reject(new HostError(target.label, `${by}: ${why}`, "run again"));
    };
    const timer =
      seconds > 0 ? setTimeout(() => lost(`no answer within ${seconds} s`), seconds * 1000) : undefined;
    try {
      jump.client.forwardOut("127.0.0.1", 0, target.host, target.port, (error, stream) => {
        clearTimeout(timer);
        const reason = (error as { reason?: unknown } | undefined)?.reason;
        if (!error) resolve(stream);
        else if (typeof reason !== "number") lost(plainText(error.message));
        else if (reason === 1) {
          reject(
            new FinalError(
              target.label,
              `${by}: its sshd forbids that`,
              "set AllowTcpForwarding and PermitOpen in its sshd_config",
            ),
          );
        } else {
          reject(
            new HostError(
              target.label,
              `${by}: ${said(error)}`,
              `check that it is up, and that ${target.host}:${target.port} can be reached from there`,
            ),
          );
        }
      });
    } catch (error) {
      clearTimeout(timer);
      lost(plainText((error as Error).message));
    }
  });
}

const said = ({ message }: Error): string =>
  plainText(message.replace(/^\(SSH\) Channel open failure: ?/, "")) || "it gets no connection to there";

const meters = new WeakMap<Client, Meter>();

/** What counts the bytes of a connection. */
export const meterOf = (client: Client): Meter => meters.get(client) as Meter;

function handshake(target: Target, login: Login, sock?: Duplex, outer?: Meter): Promise<Client> {
  const expected = expectedKeys(target);
  let refused: FinalError | undefined;
  let banner = "";
  const client = new Client();
  const timeout = (target.given.perDialTimeout ?? 15) * 1000;
  const config: ConnectConfig = {
    host: target.host,
    port: target.port,
    username: target.user,
    readyTimeout: timeout,
    authHandler: login.handler,
    ...(sock ? { sock } : {}),
    algorithms: algorithmsFor(expected?.keys ?? [], target.given.insecureAllowSha1),
    hostVerifier: (key: Buffer) => {
      refused = refusal(target, key, expected);
      return refused === undefined;
    },
  };
  return new Promise((resolve, reject) => {
    let socket: Duplex | undefined;
    const fail = (error: HostError) => {
      // a host that goes on sending must not be listened to
      socket?.destroy();
      const said = linesSaid(banner).find((line) => notYet.test(line));
      reject(
        refused ??
          login.trouble ??
          (said
            ? new HostError(target.label, `it lets nobody log in yet: ${said}`, "wait until it is up")
            : error),
      );
    };
    client.once("ready", () => {
      meterOf(client).loggedIn();
      opened++;
      log(() => `${target.label}: connection ${opened}`);
      quietly(client);
      resolve(client);
    });
    // a script goes out in one piece, and its answer is waited for
    client.on("connect", () => client.setNoDelay(true));
    client.on("banner", (text) => {
      if (banner.length < bannerLength) banner = (banner + text).slice(0, bannerLength);
    });
    client.on("change password", () => {
      fail(
        new FinalError(
          target.label,
          `the password of ${target.user} has expired`,
          "log in by hand and set a new one",
        ),
      );
    });
    // one fault may bring several errors, and one that nobody hears ends the process
    client.on("error", (error: Error & { level?: string }) => {
      // the next way to log in is tried, and what comes of that counts
      if (error.level === "agent") login.agentFailed(error.message);
      else if (error.message.endsWith(onlySha1)) login.passedOver(onlySha1);
      else fail(dialError(target, login.story(), error));
    });
    client.once("close", () =>
      fail(
        new HostError(
          target.label,
          "the connection was closed while logging in",
          "see its sshd's log; with many connections at once MaxStartups in sshd_config may be too low",
        ),
      ),
    );
    client.connect(config);
    socket = sock ?? socketOf(client);
    const tooMuch = (why: string) => fail(new FinalError(target.label, why, "see what listens there"));
    if (socket) meters.set(client, new Meter(socket, tooMuch, outer));
  });
}

/**
 * An idle connection must not keep the process alive; a running script does, by its timer. The library's own keep-alive
 * would, so the kernel's finds out when the other end is gone.
 */
function quietly(client: Client): void {
  const socket: Partial<Socket> | undefined = socketOf(client);
  socket?.setKeepAlive?.(true, 15_000);
  socket?.unref?.();
}

const socketOf = (client: Client): Socket | undefined => (client as unknown as { _sock?: Socket })._sock;
