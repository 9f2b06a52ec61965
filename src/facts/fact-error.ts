/** A fact could not be read: what the host answered. */
export class FactError extends Error {
  constructor(
    readonly fact: string,
    readonly code: number,
    readonly text: string,
  ) {
    super(`cannot read ${fact}: ${text}`);
  }
}
