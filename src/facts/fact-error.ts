/** A fact could not be read. Holds the host's answer. */
export class FactError extends Error {
  constructor(
    readonly fact: string,
    readonly code: number,
    readonly text: string,
  ) {
    super(`cannot read ${fact}: ${text}`);
  }
}
