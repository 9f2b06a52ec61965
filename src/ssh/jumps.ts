import type { EventEmitter } from "node:events";

/** The part of a connection that jumps need. */
type JumpClient = Pick<EventEmitter, "once"> & { end(): unknown };

interface Entry<Client> {
  readonly opening: Promise<Client>;
  users: number;
  idle?: NodeJS.Timeout;
}

/** A connection to a jump host in use. */
export interface Lease<Client> {
  readonly client: Client;
  /** Ends the use. Call it once. */
  release(): void;
  /** Marks the connection as lost. The next user gets a new one. */
  drop(): void;
}

/**
 * Keeps one connection for each jump host, shared by all targets. It closes after some time without a user,
 * and is opened anew after a loss.
 */
export class Jumps<Client extends JumpClient> {
  readonly #entries = new Map<string, Entry<Client>>();

  constructor(readonly idleMilliseconds: number) {}

  async lease(key: string, open: () => Promise<Client>): Promise<Lease<Client>> {
    const entry = this.#entries.get(key) ?? this.#opened(key, open);
    entry.users++;
    clearTimeout(entry.idle);
    const client = await entry.opening;
    return {
      client,
      release: () => {
        entry.users--;
        if (entry.users === 0)
          entry.idle = setTimeout(() => this.#close(key, entry), this.idleMilliseconds).unref();
      },
      drop: () => this.#forget(key, entry),
    };
  }

  #opened(key: string, open: () => Promise<Client>): Entry<Client> {
    const entry: Entry<Client> = { opening: open(), users: 0 };
    this.#entries.set(key, entry);
    entry.opening.then(
      (client) => client.once("close", () => this.#forget(key, entry)),
      () => this.#forget(key, entry),
    );
    return entry;
  }

  #forget(key: string, entry: Entry<Client>): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  #close(key: string, entry: Entry<Client>): void {
    this.#forget(key, entry);
    entry.opening.then((client) => client.end()).catch(() => undefined);
  }
}
