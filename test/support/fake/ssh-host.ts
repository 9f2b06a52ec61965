import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerChannel } from "ssh2";
import { freePort } from "../free-port.js";
import { FakeHost } from "./fake-host.js";
import { type KeyPair, newKey, type SshServer, sshServer } from "./ssh-server.js";

/** A fake host behind a real SSH server on loopback: what a Pulumi CLI of its own process reaches as it would any host. */
export class SshHost {
  readonly fake = new FakeHost();
  #hostKey = newKey();
  readonly #clientKey: KeyPair;
  #server: SshServer | undefined;
  readonly #port: number;
  #deafAfter: ((script: string) => boolean) | undefined;

  private constructor(clientKey: KeyPair, port: number) {
    this.#clientKey = clientKey;
    this.#port = port;
  }

  static async start(clientKey: KeyPair): Promise<SshHost> {
    const host = new SshHost(clientKey, await freePort());
    await host.up();
    return host;
  }

  get label(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** What a program gives as `connection`; the client's key is in that file. */
  connection(privateKeyPath: string) {
    const [type, key] = this.#hostKey.public.split(" ");
    const address = { host: "127.0.0.1", port: this.#port, user: "root" };
    return { ...address, privateKeyPath, hostKey: `${type} ${key}`, dialErrorLimit: 1 };
  }

  async up(): Promise<void> {
    this.#server = await sshServer({
      hostKey: this.#hostKey,
      clientKey: this.#clientKey,
      port: this.#port,
      serve: (channel) => this.#serve(channel),
    });
  }

  /** Takes the host down, until `up`. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.cut();
    await server?.close();
  }

  /** Gives the host another key, as a new installation does. `connection` has it from then on. */
  async rekey(): Promise<void> {
    await this.down();
    this.#hostKey = newKey();
    await this.up();
  }

  /** The next script with that text in it is run, but the link breaks before the answer. */
  loseAnswerTo(text: string): void {
    this.#deafAfter = (script) => script.includes(text);
  }

  async dispose(): Promise<void> {
    await this.down();
    await this.fake.dispose();
  }

  #serve(channel: ServerChannel): void {
    const shell = this.fake.stream();
    let deaf = false;
    let arrived = "";
    channel.setEncoding("latin1");
    channel.on("data", (text: string) => {
      arrived += text;
      // the tree's shell gets an opening of its own, so that of a real host must have come whole
      if (!/^(?:(?:printf|echo) [^\n]*|[\s\S]*\n\) <\/dev\/null)\n$/.test(arrived)) return;
      const script = arrived;
      arrived = "";
      if (this.#deafAfter?.(script)) {
        this.#deafAfter = undefined;
        deaf = true;
      }
      shell.write(script);
    });
    shell.onOutput((text) => {
      if (!deaf) channel.write(Buffer.from(text, "latin1"));
      else if (text.includes(" done\n")) this.#server?.cut();
    });
    shell.onErrors((text) => void channel.stderr.write(text));
    shell.onClose(() => channel.end());
    channel.on("close", () => shell.close());
    channel.on("error", () => undefined);
  }
}

/** Writes a new key for clients into a file of that folder. */
export function clientKeyIn(folder: string): { key: KeyPair; path: string } {
  const key = newKey();
  const path = join(folder, "client_key");
  writeFileSync(path, key.private, { mode: 0o600 });
  return { key, path };
}
