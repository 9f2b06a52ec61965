/** A fact could not be read. Holds the host's answer. */
export class FactError extends Error {
  constructor(
    readonly fact: string,
    /** The host's command or file, as people see it. */
    readonly shown: string,
    readonly code: number,
    readonly text: string,
  ) {
    super(`cannot read ${fact}: ${text}`);
  }
}
