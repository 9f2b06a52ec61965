import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Client, type ConnectConfig } from "ssh2";
import { HostError, isDown, NotReachedError, NotRetriedError, plainLines } from "../errors.js";
import { log } from "../log.js";
import { plainText } from "../values/foreign.js";
import { algorithmsFor } from "./algorithms.js";
import { dialError, notYetUp } from "./dial-error.js";
import { inTurn } from "./handshakes.js";
import { expectedKeys, refusal } from "./host-key.js";
import { Jumps, type Lease } from "./jumps.js";
import { bannerLength } from "./limits.js";
import { type Login, loginOf, OnlySha1Error } from "./login.js";
import { Meter } from "./meter.js";
import { retrying } from "./retry.js";
import type { Target } from "./target.js";

/** A jump host's connection stays open for 20 s after its last use. */
const jumps = new Jumps<Client>(20_000);

// Numbers the connections in the log.
let opened = 0;

/** Messages by which sshd refuses all users but root (pam_nologin). */
export const notYet = /System is (?:booting up|going down)|not permitted to log in/i;

/** Connects once and logs in. */
export async function dial(target: Target): Promise<Client> {
  // A login that cannot work fails before the connection begins.
  const login = loginOf(target);
  if (!target.proxy) return inTurn(target, () => handshake(target, login));
  const jump = await jumpTo(target.proxy, target);
  try {
    return await inTurn(target, async () => {
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

/** Returns the connection to a jump host, which all its targets share. The jump host's own limits apply. */
async function jumpTo(proxy: Target, target: Target): Promise<Lease<Client>> {
  try {
    return await jumps.lease(JSON.stringify(viaOf(proxy)), () => retrying(proxy, () => dial(proxy)));
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    // The jump host has used up its attempts.
    const Kind = isDown(error) ? NotReachedError : NotRetriedError;
    throw new Kind(target.label, `cannot be reached by way of ${proxy.label}: ${error.reason}`, error.remedy);
  }
}

/**
 * Opens a stream from the jump host to the target. It needs no session, so MaxSessions of the jump host does
 * not count.
 */
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
            new NotRetriedError(
              target.label,
              `${by}: its sshd forbids that`,
              "set AllowTcpForwarding and PermitOpen in its sshd_config",
            ),
          );
        } else {
          reject(
            new HostError(
              target.label,
              `${by}: ${reasonOf(error)}`,
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

const reasonOf = ({ message }: Error): string =>
  plainText(message.replace(/^\(SSH\) Channel open failure: ?/, "")) || "it gets no connection to there";

const meters = new WeakMap<Client, Meter>();

/** Returns the meter that counts the bytes of a connection. */
export const meterOf = (client: Client): Meter => meters.get(client) as Meter;

function handshake(target: Target, login: Login, sock?: Duplex, outer?: Meter): Promise<Client> {
  const expected = expectedKeys(target);
  let refused: NotRetriedError | undefined;
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
      // A host that goes on sending is cut off.
      socket?.destroy();
      const greeting = plainLines(banner).find((line) => notYet.test(line));
      reject(refused ?? login.trouble ?? (greeting ? notYetUp(target, greeting) : error));
    };
    client.once("ready", () => {
      meterOf(client).loggedIn();
      opened++;
      log(() => `${target.label}: connection ${opened}`);
      quietly(client);
      resolve(client);
    });
    // A script goes out in one piece, and its answer is awaited.
    client.on("connect", () => client.setNoDelay(true));
    client.on("banner", (text) => {
      if (banner.length < bannerLength) banner = (banner + text).slice(0, bannerLength);
    });
    client.on("change password", () => {
      fail(
        new NotRetriedError(
          target.label,
          `the password of ${target.user} has expired`,
          "log in by hand and set a new one",
        ),
      );
    });
    // One fault may raise several errors, and an error without a listener ends the process.
    client.on("error", (error: Error & { level?: string }) => {
      // The next way to log in is tried, and its result counts.
      if (error instanceof OnlySha1Error) login.sha1Refused();
      else if (error.level === "agent") login.agentFailed(error.message);
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
    const tooMuch = (why: string) => fail(new NotRetriedError(target.label, why, "see what listens there"));
    if (socket) meters.set(client, new Meter(socket, tooMuch, outer));
  });
}

/**
 * Lets the process end while the connection is idle. A running script keeps the process alive by its timer.
 * The library's keep-alive would keep it alive, too, so the kernel's keep-alive detects a lost peer instead.
 */
function quietly(client: Client): void {
  const socket: Partial<Socket> | undefined = socketOf(client);
  socket?.setKeepAlive?.(true, 15_000);
  socket?.unref?.();
}

const socketOf = (client: Client): Socket | undefined => (client as unknown as { _sock?: Socket })._sock;
