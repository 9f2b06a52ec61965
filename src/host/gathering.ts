/**
 * Milliseconds without a new job after which the waiting jobs run, and after which they run in any case. On a slow
 * host both are longer: parts of the time that the last batch took.
 */
const pauses = { least: 25, part: 1 / 4, most: 250 };
const limits = { least: 200, part: 1, most: 1000 };

/** Nor is the pause longer than some times the longest gap between two jobs so far, which shows the engine's pace. */
const gaps = { least: 50, part: 4, most: 250 };

/** Number of jobs that wait for no others. The host works on them while the engine sends more. */
const enough = 24;

const within = ({ least, part, most }: typeof pauses, milliseconds: number): number =>
  Math.min(most, Math.max(least, part * milliseconds));

/**
 * Decides how long the jobs of a host wait for others. Pulumi's engine sends parallel operations one by one, and
 * writes its checkpoint in between. After a batch it sends as many again. So those that came meanwhile wait until all
 * are here, or until none has come for a while.
 */
export class Gathering {
  #newest = 0;
  /** The longest time between two jobs that waited together. */
  #gap: number | undefined;
  /** Whether jobs wait for others now. */
  #isWaiting = false;
  #begun = 0;
  /** Number of jobs without a result, and the most since the last batch began. */
  #pending = 0;
  #most = 0;
  /** Milliseconds that the last batch took. */
  #took = 0;
  #arrived: () => void = () => undefined;

  /** A job came. */
  came(): void {
    const now = performance.now();
    if (this.#isWaiting) this.#gap = Math.max(this.#gap ?? 0, now - this.#newest);
    this.#newest = now;
    this.#most = Math.max(this.#most, ++this.#pending);
    this.#arrived();
  }

  /** A batch begins. */
  begin(): void {
    this.#begun = performance.now();
    this.#most = this.#pending;
  }

  /** A batch of that many jobs has ended. */
  end(jobs: number): void {
    this.#pending -= jobs;
    this.#newest = performance.now();
    this.#took = this.#newest - this.#begun;
  }

  /** Resolves when the jobs that `count` counts shall wait no longer. */
  async complete(count: () => number): Promise<void> {
    this.#isWaiting = true;
    const limit = performance.now() + within(limits, this.#took);
    // The first batches do not show yet how many the engine sends.
    const all = this.#most > 2 && this.#took > 0 ? this.#most : Number.POSITIVE_INFINITY;
    for (;;) {
      const now = performance.now();
      const pause = Math.min(this.#newest + this.#pause(), limit) - now;
      if (count() >= Math.min(all, enough) || pause <= 0) break;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause);
        this.#arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isWaiting = false;
  }

  #pause(): number {
    const byHost = within(pauses, this.#took);
    return this.#gap === undefined ? byHost : Math.min(byHost, within(gaps, this.#gap));
  }
}
