import type { Duplex } from "node:stream";
import { besideBytes, loginBytes } from "./limits.js";

/** More than a packet costs besides its data, by any cipher and MAC. */
const packetBytes = 128;

/** What a host may still send after its connection was ended, by a jump host that others use too. */
const lateBytes = 2 * besideBytes;

/** How much more than what came may be carried on at a time: what is read is told of before and after it is counted. */
const slack = 262_144;

/**
 * Counts the bytes that come by a connection at its socket, and ends it where they are too many: all of them before the login,
 * and after it those that no channel of ours carries (banners, requests, packets to be ignored), whatever the library makes of them.
 */
export class Meter {
  readonly #socket: Duplex;
  readonly #onExcess: (why: string) => void;
  readonly #parent: Meter | undefined;
  #count = 0;
  #late = 0;
  #limit = loginBytes;
  #excess: string | undefined;

  /** `parent` counts for the connection that carries this one. */
  constructor(socket: Duplex, onExcess: (why: string) => void, parent?: Meter) {
    this.#socket = socket;
    this.#onExcess = onExcess;
    this.#parent = parent;
    socket.on("data", (data: Buffer) => this.#counted(data.length));
  }

  /** Why the connection was ended, if it was. */
  get excess(): string | undefined {
    return this.#excess;
  }

  loggedIn(): void {
    this.#count = 0;
    this.#limit = besideBytes;
  }

  /** So many bytes came in one piece by a channel of ours, and are counted there. */
  carried(bytes: number): void {
    this.#count = Math.max(this.#count - bytes - packetBytes, -slack);
  }

  #counted(bytes: number): void {
    if (this.#excess !== undefined) this.#late += bytes;
    if (this.#late <= lateBytes) this.#parent?.carried(bytes);
    this.#count += bytes;
    if (this.#count <= this.#limit || this.#excess !== undefined) return;
    const mega = this.#limit / 2 ** 20;
    this.#excess =
      this.#limit === loginBytes
        ? `it sends more than ${mega} MB before it has let us in`
        : `it sends more than ${mega} MB besides what its shell says`;
    this.#onExcess(this.#excess);
    this.#socket.destroy();
  }
}
