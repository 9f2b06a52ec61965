/**
 * One change of a host as an argument vector, and the command that undoes it. argv[0] may be a function of
 * the opening (src/shell/opening.ts), such as `put_file`.
 */
export interface Step {
  readonly run: readonly string[];
  /**
   * Runs in reverse order if a later step of the same transaction fails. Null if there is nothing to undo.
   */
  readonly undo: readonly string[] | null;
  /** True if a failed command may have done a part. Its own undo runs then, too. */
  readonly isPartial?: boolean;
  /** Set if one command can do the steps of several resources. */
  readonly role?: Role | undefined;
}

/**
 * Of an `entry` the words after the first are a line of the table, which `ipvsadm -R` reads. `record` and `erase` are
 * the first word: a lifetime and lines of the ledger follow.
 */
type Role = "entry" | "record" | "erase";

/** Returns a step. It has no role `entry` if a word needs quotes, because `ipvsadm -R` reads words without them. */
export function step(run: readonly string[], undo: readonly string[] | null, role?: Role): Step {
  const isPlain = role !== "entry" || [...run, ...(undo ?? [])].every((word) => !/[\s'"\\#]/.test(word));
  return { run, undo, role: isPlain ? role : undefined };
}

/** Returns a step that does nothing, and is undone if another one of the transaction fails. */
export const onFailure = (undo: readonly string[], role?: Role): Step => step([":"], undo, role);

/** Returns whether a step does nothing unless another one fails. */
export const isIdle = ({ run }: Step): boolean => run[0] === ":";
