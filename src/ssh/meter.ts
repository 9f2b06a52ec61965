import type { Duplex } from "node:stream";
import { besideBytes, loginBytes } from "./limits.js";

/** More than the overhead of a packet in any cipher and MAC. */
const packetBytes = 128;

/** Bytes that a host may still send after its connection was ended, through a jump host that others use. */
const lateBytes = 2 * besideBytes;

/**
 * Limit of bytes that are reported as carried before they are counted: `carried` may come before or after the
 * count.
 */
const slack = 262_144;

/**
 * Counts the bytes of a connection at its socket, and ends it after too many. Before the login all bytes
 * count. After it only those count that no channel of ours carries (banners, requests, packets to ignore),
 * whatever the library does with them.
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

  /** Returns why the connection was ended, if it was. */
  get excess(): string | undefined {
    return this.#excess;
  }

  loggedIn(): void {
    this.#count = 0;
    this.#limit = besideBytes;
  }

  /** Subtracts bytes that came in one piece by a channel of ours, which counts them itself. */
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
        ? `it sends more than ${mega} MB before the login succeeded`
        : `it sends more than ${mega} MB besides the output of its shell`;
    this.#onExcess(this.#excess);
    this.#socket.destroy();
  }
}
