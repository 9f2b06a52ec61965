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
}

export const step = (run: readonly string[], undo: readonly string[] | null): Step => ({ run, undo });

/** Returns a step that does nothing, and is undone if another one of the transaction fails. */
export const onFailure = (undo: readonly string[]): Step => step([":"], undo);

/** Returns whether a command is one line of the table, which `ipvsadm -R` reads as it is. */
export const isEntry = (run: readonly string[] | null): run is readonly string[] =>
  // Commands with a long option, such as timeouts, come once only and need no bulk.
  run?.[0] === "ipvsadm" && !run[1]?.startsWith("--") && run.every((word) => !/[\s'"\\#]/.test(word));

/** Returns whether a step writes or erases records, or does nothing unless another one fails. */
export const isAboutRecords = ({ run: [name] }: Step): boolean =>
  name === "record" || name === "erase" || name === ":";
