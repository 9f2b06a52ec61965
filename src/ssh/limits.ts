const mega = 2 ** 20;

/** Bytes that a host may send before it has let us in. */
export const loginBytes = mega;

/** Characters of a login banner that are looked at. */
export const bannerLength = 65_536;

/** Bytes that a host may send besides what its shell says, once it has let us in. */
export const besideBytes = 4 * mega;

/** What the answer to one script may be, standard output and errors together. */
export const answerBytes = 16 * mega;
export const answerPieces = 500_000;

/** Counts what a shell says, so that a host that goes on without end neither fills the memory nor keeps us busy. */
export class AnswerMeter {
  #bytes = 0;
  /** Each line, and each piece that came by itself, costs more than its length. */
  #lines = 0;
  #pieces = 0;

  /** Why the text with what came before it is too much; undefined where it is not. */
  take(text: string): string | undefined {
    this.#bytes += text.length;
    this.#pieces++;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#lines++;
    if (this.#bytes > answerBytes) return `it says more than ${answerBytes / mega} MB`;
    if (this.#lines > answerPieces) return `it says more than ${answerPieces} lines`;
    if (this.#pieces > answerPieces) return `it says what it says in more than ${answerPieces} pieces`;
    return undefined;
  }

  /** Begins anew, for the next script. */
  reset(): void {
    this.#bytes = this.#lines = this.#pieces = 0;
  }
}
