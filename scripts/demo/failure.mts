/** What went wrong, in a line, with the last lines of output that tell why and where there is more. */
export class Failure extends Error {
  readonly tail: readonly string[];
  readonly more: string | undefined;

  constructor(message: string, tail: readonly string[] = [], more?: string) {
    super(message);
    this.tail = tail;
    this.more = more;
  }
}

/** Somebody pressed Ctrl-C, and what was running has ended. */
export class Interrupted extends Error {}
