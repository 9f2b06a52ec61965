/*
 * Outputs that the engine adds for itself; each is there, and true, or is not.
 */

/**
 * What a refresh finds that is there as declared, while the host does not know whose it is (records that were lost, or never
 * written because /run was full). The next update writes them.
 */
export const unmarked = "unmarked";

/**
 * What a refresh finds gone while the host still has its record, which would bring it back at the next boot. It stays in state:
 * the next update makes it again, and if the program declares it no more, its deletion takes the record away.
 */
export const missing = "missing";

/**
 * Besides what a refresh finds that is not as declared, among the outputs only: what the host would bring back after a reboot is
 * something else, so also a program that now wants what is there has something to do.
 */
export const undeclared = "undeclared";

/** What creation found there, made by somebody else, and took over: a rollback of that update must not delete it. */
export const adopted = "adopted";

/** Those that a refresh writes among the inputs too, so that Pulumi shows them as a difference. */
export const found: readonly string[] = [unmarked, missing];
