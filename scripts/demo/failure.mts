/** What went wrong, in a line, with the last lines of output, which show why and where there is more. */
export class Failure extends Error {
  readonly tail: readonly string[];
  readonly more: string | undefined;

  constructor(message: string, tail: readonly string[] = [], more?: string) {
    super(message);
    this.tail = tail;
    this.more = more;
  }
}

/** The user pressed Ctrl-C, and the running child has ended. */
export class Interrupted extends Error {}
