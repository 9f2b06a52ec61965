/** Runs operations on one thing one after another. Resources that share it may change at the same time. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  async take<T>(thing: string, run: () => Promise<T>): Promise<T> {
    const before = this.#last.get(thing);
    const now = before ? before.then(run) : run();
    const settled = now.catch(() => undefined);
    this.#last.set(thing, settled);
    try {
      return await now;
    } finally {
      if (this.#last.get(thing) === settled) this.#last.delete(thing);
    }
  }
}
