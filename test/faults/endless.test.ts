import { createServer, type Socket } from "node:net";
import type { Writable } from "node:stream";
import type { Connection as Peer, ServerChannel } from "ssh2";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { OutcomeUnknownError } from "../../src/errors.js";
import { listOf } from "../../src/facts/ip-lists.js";
import { RemoteShell } from "../../src/host/remote-shell.js";
import { answerBytes, answerPieces, besideBytes, loginBytes } from "../../src/ssh/limits.js";
import { openShell } from "../../src/ssh/open-shell.js";
import { type Given, hello, ownHome, refusal, to } from "../support/fake/ssh-client.js";

const { server } = ownHome();

const mega = 2 ** 20;
const block = "x".repeat(30_000);

/** What the library has of a client beside its types. */
interface Inner {
  readonly _sock: Socket;
  readonly _protocol: {
    readonly _packetRW: {
      readonly write: {
        alloc(bytes: number): Buffer;
        readonly allocStart: number;
        finalize(packet: Buffer): Buffer;
      };
    };
    readonly _cipher: { encrypt(packet: Buffer): void; allocPacket(bytes: number): Buffer };
  };
}

const inner = (peer: Peer) => peer as unknown as Inner;

/** Writes without end, as fast as it is taken; ends with the stream, or with the test. */
function forever(stream: Pick<Writable, "writableLength" | "writable">, write: () => void): void {
  let over = false;
  onTestFinished(() => {
    over = true;
  });
  const more = () => {
    if (over || !stream.writable) return;
    for (let i = 0; i < 1024 && stream.writableLength < mega; i++) write();
    setTimeout(more, 1);
  };
  more();
}

/** Sends a packet with a text in it: a banner (53), or one to be ignored (2). */
function sendPacket({ _protocol: protocol }: Inner, type: 2 | 53, text: string): void {
  const { write } = protocol._packetRW;
  const length = Buffer.byteLength(text);
  const packet = write.alloc(1 + 4 + length + 4);
  const at = write.allocStart;
  packet[at] = type;
  packet.writeUInt32BE(length, at + 1);
  packet.write(text, at + 5);
  packet.writeUInt32BE(0, at + 5 + length);
  protocol._cipher.encrypt(write.finalize(packet));
}

/** A shell that answers the hail and the greeting as root's, and then does as the test says. */
const shellThat =
  (acts: (channel: ServerChannel) => void) =>
  (channel: ServerChannel): void => {
    channel.on("error", () => undefined);
    channel.stderr.on("error", () => undefined);
    channel.setEncoding("utf8");
    let scripts = 0;
    channel.on("data", (text: string) => {
      if (text.includes("pulumi-lvs shell")) return void channel.write("pulumi-lvs shell\n");
      const nonce = /lvs-[0-9a-f]{24}/.exec(text)?.[0];
      if (scripts++ === 0) return void channel.write(`${nonce} uid 0\n${nonce} done\n`);
      acts(channel);
    });
  };

/** Bytes that a server could send, and how much memory there is more than before. */
function watched() {
  const before = process.memoryUsage().rss;
  const sockets: Socket[] = [];
  return {
    onPeer: (peer: Peer) => void sockets.push(inner(peer)._sock),
    sent: () => sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0),
    grown: () => process.memoryUsage().rss - before,
    closed: () => sockets.every(({ destroyed }) => destroyed),
  };
}

/** Runs one script there. */
async function run(given: Given): Promise<string> {
  const shell = await RemoteShell.open("web1", await openShell(to(given)));
  onTestFinished(() => shell.close());
  return shell.run((nonce) => `: ${nonce}\n`, { seconds: 100 });
}

const unheard = (why: string) =>
  `web1: the connection was lost before the host had answered (${why}); a script that arrived completes or rolls back on its own; run \`pulumi up\` again [lvs-unknown]`;

describe("a host whose answer has no end", () => {
  test.each<[string, string, number, (channel: ServerChannel) => void]>([
    [
      "output",
      "it prints more than 16 MB",
      answerBytes,
      (channel) => forever(channel, () => channel.write(block)),
    ],
    [
      "errors",
      "it prints more than 16 MB",
      answerBytes,
      (channel) => forever(channel.stderr, () => channel.stderr.write(block)),
    ],
    [
      "lines",
      `it prints more than ${answerPieces} lines`,
      answerPieces,
      (channel) => forever(channel, () => channel.write("\n".repeat(32_000))),
    ],
  ])(
    "of %s loses its connection, with what came of the script unknown; its neighbour is served",
    async (_, why, most, acts) => {
      const seen = watched();
      const { port } = await server({ serve: shellThat(acts), onPeer: seen.onPeer });
      const neighbour = await server();
      const [hostile, friendly] = await Promise.allSettled([run({ port }), hello({ port: neighbour.port })]);
      expect(friendly).toEqual({ status: "fulfilled", value: "hello" });
      expect(hostile).toMatchObject({ status: "rejected", reason: { message: unheard(why) } });
      expect((hostile as PromiseRejectedResult).reason).toBeInstanceOf(OutcomeUnknownError);
      await expect.poll(seen.closed, { timeout: 60_000 }).toBe(true);
      expect(seen.sent()).toBeLessThan(most + 8 * besideBytes);
      expect(seen.grown()).toBeLessThan(600 * mega);
    },
    120_000,
  );

  test("is not listened to while no script runs either", async () => {
    const seen = watched();
    const { port } = await server({
      serve: shellThat((channel) => {
        forever(channel, () => channel.write(block));
      }),
      onPeer: seen.onPeer,
    });
    const shell = await RemoteShell.open("web1", await openShell(to({ port })));
    await shell.run((nonce) => `: ${nonce}\n`).catch(() => undefined);
    expect(shell.closed).toBe(true);
    await expect.poll(seen.closed, { timeout: 60_000 }).toBe(true);
  }, 120_000);

  test("before its shell has started is given up at once", async () => {
    const seen = watched();
    const { port, connections } = await server({
      serve: (channel) => {
        channel.on("error", () => undefined);
        forever(channel, () => channel.write(block));
      },
      onPeer: seen.onPeer,
    });
    const { message } = await refusal({ port, dialErrorLimit: 10 });
    expect(message).toMatch(/: it prints more than 16 MB before a shell started; see what its sshd/);
    expect(connections).toBeLessThan(2);
    await expect.poll(seen.closed, { timeout: 60_000 }).toBe(true);
    expect(seen.sent()).toBeLessThan(answerBytes + 8 * besideBytes);
  }, 120_000);

  test("behind a jump host loses its own connection only", async () => {
    const { port } = await server({
      serve: shellThat((channel) => forever(channel, () => channel.write(block))),
    });
    const [jump, neighbour] = [await server(), await server()];
    const proxy = { ...to({ port: jump.port }), sudo: undefined };
    const shell = await RemoteShell.open("web2", await openShell(to({ port: neighbour.port, proxy })));
    onTestFinished(() => shell.close());
    for (let i = 0; i < 3; i++)
      await expect(run({ port, proxy })).rejects.toThrow(unheard("it prints more than 16 MB"));
    expect(await shell.run((nonce) => `echo hello; printf '%s done\n' ${nonce}\n`)).toMatch(/^hello$/m);
    expect(jump.connections).toBe(1);
  }, 180_000);
});

test("of a list that is wrong throughout only the first entry is looked at", () => {
  let looked = 0;
  const entry = z.custom(() => {
    looked++;
    return false;
  });
  const { error } = listOf(entry).safeParse(Array(1000).fill(1));
  expect([looked, error?.issues.length]).toEqual([1, 1]);
});

describe("a host that sends without end besides", () => {
  test.each<[string, (peer: Peer) => void]>([
    ["banners", (peer) => forever(inner(peer)._sock, () => sendPacket(inner(peer), 53, block))],
    ["packets to be ignored", (peer) => forever(inner(peer)._sock, () => sendPacket(inner(peer), 2, block))],
  ])(
    "%s before the login is refused at once",
    async (_, acts) => {
      const seen = watched();
      const { port, connections } = await server({
        onPeer: (peer) => {
          seen.onPeer(peer);
          // instead of an answer
          queueMicrotask(() =>
            peer.removeAllListeners("authentication").once("authentication", () => acts(peer)),
          );
        },
      });
      const neighbour = await server();
      const [hostile, friendly] = await Promise.all([
        refusal({ port, perDialTimeout: 0, dialErrorLimit: 10 }),
        hello({ port: neighbour.port }),
      ]);
      expect(friendly).toBe("hello");
      expect(hostile.message).toMatch(
        /: it sends more than 1 MB before the login succeeded; see what listens there$/,
      );
      expect(connections).toBeLessThan(2);
      await expect.poll(seen.closed, { timeout: 60_000 }).toBe(true);
      expect(seen.sent()).toBeLessThan(loginBytes + 8 * mega);
    },
    120_000,
  );

  test("packets to be ignored while a script runs loses its connection, with what came of the script unknown", async () => {
    const seen = watched();
    let peer: Peer;
    const { port } = await server({
      onPeer: (one) => {
        peer = one;
        seen.onPeer(one);
      },
      serve: shellThat(() => forever(inner(peer)._sock, () => sendPacket(inner(peer), 2, block))),
    });
    await expect(run({ port })).rejects.toThrow(
      unheard("it sends more than 4 MB besides the output of its shell"),
    );
    await expect.poll(seen.closed, { timeout: 60_000 }).toBe(true);
    expect(seen.sent()).toBeLessThan(besideBytes + 8 * mega);
  }, 120_000);

  test.each([
    ["lines that are no SSH", "hello\r\n"],
    ["a line without an end", "hello"],
  ])(
    "%s is refused at once",
    async (_, text) => {
      const sockets: Socket[] = [];
      const plain = createServer((socket) => {
        sockets.push(socket);
        socket.on("error", () => undefined);
        forever(socket, () => socket.write(text.repeat(1000)));
      });
      await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => void plain.close());
      const { port } = plain.address() as { port: number };
      const { message } = await refusal({ port, perDialTimeout: 0 });
      expect(message).toMatch(/it sends more than 1 MB before|cannot be reached at/);
      await expect.poll(() => sockets.every(({ destroyed }) => destroyed), { timeout: 60_000 }).toBe(true);
      expect(sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0)).toBeLessThan(
        loginBytes + 8 * mega,
      );
    },
    120_000,
  );
});
