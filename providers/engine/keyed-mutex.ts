/** Runs operations on one thing one after another. Resources that share it may change at the same time. */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<T>(key: string, operation: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const result = before ? before.then(operation) : operation();
    const finished = result.catch(() => undefined);
    this.#last.set(key, finished);
    try {
      return await result;
    } finally {
      if (this.#last.get(key) === finished) this.#last.delete(key);
    }
  }
}
