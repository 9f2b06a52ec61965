import { createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** The packet by which a side ends a connection before anything is encrypted (RFC 4253 §6, §11.1). */
export function disconnect(text: string): Buffer {
  const words = Buffer.from(text);
  const payload = Buffer.concat([Buffer.from([1, 0, 0, 0, 2]), uint(words.length), words, uint(0)]);
  const padding = 8 - ((5 + payload.length) % 8) + 8;
  return Buffer.concat([
    uint(1 + payload.length + padding),
    Buffer.from([padding]),
    payload,
    Buffer.alloc(padding),
  ]);
}

const uint = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** A server of raw bytes. */
export async function rawServer(answer: (socket: Socket) => void): Promise<number> {
  const plain = createServer((socket) => {
    socket.on("error", () => undefined);
    answer(socket);
  });
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void plain.close());
  return (plain.address() as { port: number }).port;
}
