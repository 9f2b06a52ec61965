/**
 * The numbers of a real server, each with its option in ipvsadm(8). The schema of RealServer says their limits. The
 * restore and the health agent get the options as SERVER_NUMBERS.
 */
export const serverNumbers = { weight: "-w", upperThreshold: "-x", lowerThreshold: "-y" } as const;

/** The assignment of the options for shell text. */
export const serverNumbersVariable = { SERVER_NUMBERS: Object.values(serverNumbers).join(" ") };
