/**
 * One change on a host, as an argument vector, and the command that takes it back.
 * Besides programs, argv[0] may be a function of the script's prelude (see script.ts), such as `set_sysctl`.
 */
export interface Step {
  readonly run: readonly string[];
  /** Run in reverse order when a later step of the same transaction fails; null where there is nothing to take back. */
  readonly undo: readonly string[] | null;
}

export const step = (run: readonly string[], undo: readonly string[] | null): Step => ({ run, undo });
