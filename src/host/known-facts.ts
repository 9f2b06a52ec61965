import { isDeepStrictEqual } from "node:util";
import { type FactName, Facts, type Section } from "../facts/facts.js";

/** The facts of a host that its scripts read back, and when each came. */
export class KnownFacts {
  readonly sections = new Map<FactName, Section>();
  readonly #came = new Map<FactName, number>();

  put(sections: ReadonlyMap<FactName, Section>): void {
    const now = performance.now();
    for (const [name, section] of sections) {
      // The same object is not parsed again.
      if (!isDeepStrictEqual(this.sections.get(name), section)) this.sections.set(name, section);
      this.#came.set(name, now);
    }
  }

  clear(): void {
    this.sections.clear();
    this.#came.clear();
  }

  /** Returns whether all of them could be read. */
  hasAll(names: readonly FactName[]): boolean {
    return names.every((name) => "body" in (this.sections.get(name) ?? {}));
  }

  /** Returns whether all of them came at most so many milliseconds ago. */
  areRecent(names: readonly FactName[], milliseconds: number): boolean {
    const since = performance.now() - milliseconds;
    return names.every((name) => (this.#came.get(name) ?? 0) > since);
  }

  facts(names: readonly FactName[]): Facts {
    return new Facts(new Map(names.map((name) => [name, this.sections.get(name) as Section])));
  }
}
