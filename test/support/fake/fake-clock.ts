import type { Clock } from "../../../providers/engine/clock.js";
import type { FakeHost } from "./fake-host.js";

/** Time in which a pause takes a second and no time: whatever happens meanwhile happens then. On a host its clock goes along. */
export class FakeClock implements Clock {
  /** What was said. */
  readonly printed: string[] = [];
  #seconds = 0;
  readonly #fake: FakeHost | undefined;
  readonly #meanwhile: (second: number) => void | Promise<void>;

  constructor(fake?: FakeHost, meanwhile: (second: number) => void | Promise<void> = () => undefined) {
    this.#fake = fake;
    this.#meanwhile = meanwhile;
  }

  now(): number {
    return this.#seconds * 1000;
  }

  async pause(): Promise<void> {
    this.#seconds++;
    this.#fake?.write("date", `${Number(this.#fake.read("date")) + 1}\n`);
    await this.#meanwhile(this.#seconds);
  }

  print(line: string): void {
    this.printed.push(line);
  }
}
