/** The parts of a script in the order of their marks (lib/script.sh). One that only reads has no mark 2 and 3. */
const parts = ["sent", "lock", "compare", "change", "read"] as const;

/** Follows one script: the bytes sent, and when each of its marks arrives with the newest process number there. */
export class Trace {
  #bytes = 0;
  #since = performance.now();
  readonly #took: string[] = [];
  #first: number | undefined;
  #last = 0;

  sent(bytes: number): void {
    this.#bytes = bytes;
    this.#since = performance.now();
  }

  mark(part: number, newest: number): void {
    const now = performance.now();
    this.#took.push(`${parts[part]} ${Math.round(now - this.#since)} ms`);
    this.#since = now;
    this.#first ??= newest;
    this.#last = newest;
  }

  /** Returns the line for the log. Process numbers count those of other programs on the host, too. */
  toString(): string {
    const started = this.#last - (this.#first ?? 0) + 1;
    return `${this.#bytes} bytes, ${started > 0 ? started : "?"} processes, ${this.#took.join(", ")}`;
  }
}
