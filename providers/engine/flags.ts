/** Outputs that the engine adds. Each is true or absent. */

/**
 * Refresh sets it if the resource exists as declared, but its owner or boot record is missing. The record was
 * lost, or never written because /run was full. The next update writes it.
 */
export const unmarked = "unmarked";

/**
 * Refresh sets it if the resource is gone, but the host has a record that would restore it at the next boot.
 * State keeps the resource: the next update makes it again. If the program does not declare it any more, its
 * deletion removes the record.
 */
export const missing = "missing";

/**
 * Output only. Refresh sets it if the live resource differs from its declaration. The boot record is then out
 * of date, so an update must run even if the new program matches the live resource.
 */
export const undeclared = "undeclared";

/**
 * Create sets it if it took over a thing that something else had made. A rollback of that update must not
 * delete it.
 */
export const adopted = "adopted";

/** Flags that refresh also writes to the inputs, so that Pulumi shows them as a difference. */
export const found: readonly string[] = [unmarked, missing];
