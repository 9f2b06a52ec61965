const mega = 2 ** 20;

/** Bytes that a host may send before the login. */
export const loginBytes = mega;

/** Characters of a login banner that are read. */
export const bannerLength = 65_536;

/** Bytes that a host may send after the login, besides the output of its shell. */
export const besideBytes = 4 * mega;

/** Limits of the answer to one script, standard output and errors together. */
export const answerBytes = 16 * mega;
export const answerPieces = 500_000;

/** Counts the output of a shell. Endless output then neither fills the memory nor takes the processor. */
export class AnswerMeter {
  #bytes = 0;
  /** Each line, and each piece that came by itself, costs more than its length. */
  #lines = 0;
  #pieces = 0;

  /** Adds a text. Returns why the total is too much, or undefined if it is not. */
  take(text: string): string | undefined {
    this.#bytes += text.length;
    this.#pieces++;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#lines++;
    if (this.#bytes > answerBytes) return `it prints more than ${answerBytes / mega} MB`;
    if (this.#lines > answerPieces) return `it prints more than ${answerPieces} lines`;
    if (this.#pieces > answerPieces) return `its output comes in more than ${answerPieces} pieces`;
    return undefined;
  }

  /** Starts the count for the next script. */
  reset(): void {
    this.#bytes = this.#lines = this.#pieces = 0;
  }
}
