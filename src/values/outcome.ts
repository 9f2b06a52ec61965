/**
 * Marks the message of an error after which the outcome of the change is unknown. Pulumi passes on only the
 * message of a provider's error, so a rollback looks for the token there.
 */
export const unknownOutcome = "[lvs-unknown]";

/**
 * Returns whether a message leaves the outcome of the change unknown: the host did not answer, or the change
 * could not be undone completely.
 */
export const isUncertain = (message: string): boolean => message.includes(unknownOutcome);

/**
 * Marks the message of a creation that failed with a known outcome: it was refused, or the host has undone it. Pulumi
 * gives this failure the status of a provider that died, so a message without a token counts as one without an answer.
 */
export const knownOutcome = "[lvs-known]";

/** Returns whether the provider itself has reported the failure of a creation. */
export const isAnswer = (message: string): boolean => message.includes(knownOutcome) || isUncertain(message);
