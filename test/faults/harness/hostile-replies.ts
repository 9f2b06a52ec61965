import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** What a server does once it is to reply. */
export type Reply = (socket: Socket) => void;

/** Says this, and closes. */
export const says =
  (...parts: (string | Buffer)[]): Reply =>
  (socket) => {
    for (const part of parts) socket.write(part);
    socket.end();
  };

/** A page as HTTP has it, up to the end of the connection. */
export const page = (body: string | Buffer, status = "200 OK"): Reply =>
  says(`HTTP/1.1 ${status}\r\n\r\n`, body);

/** Servers on this machine that say whatever they like, until they are closed. */
export class HostileServers {
  readonly #open: Server[] = [];
  /** Bytes that went to the network of replies without an end, by name. */
  readonly sent = new Map<string, number>();

  /** Goes on for ever: each character is a byte. */
  endless(name: string, first: string, text: string): Reply {
    const block = Buffer.from(text.repeat(Math.ceil(65536 / text.length)), "latin1");
    return (socket) => {
      const more = () => {
        do this.sent.set(name, (this.sent.get(name) ?? 0) + block.length);
        while (!socket.destroyed && socket.write(block));
      };
      socket.write(first, "latin1");
      socket.on("drain", more);
      more();
    };
  }

  /** Opens one that replies to whatever it hears, or at once; resolves to `ADDRESS:PORT`. */
  serve(reply: Reply, when: "requested" | "at once" = "requested"): Promise<string> {
    return this.listen(
      createServer((socket) => {
        socket.on("error", () => socket.destroy());
        if (when === "requested") socket.once("data", () => reply(socket));
        else reply(socket);
      }),
    );
  }

  async listen(server: Server): Promise<string> {
    this.#open.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const server of this.#open) server.close();
  }
}
