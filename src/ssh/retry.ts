import { backOff } from "exponential-backoff";
import { HostError, isDown, NotRetriedError } from "../errors.js";
import { log } from "../log.js";
import type { Target } from "./target.js";

/**
 * Repeats an attempt until it succeeds, within the limits of the connection. An error that cannot improve
 * ends it at once.
 */
export async function retrying<T>(target: Target, attempt: () => Promise<T>): Promise<T> {
  const limit = target.given.dialErrorLimit ?? 10;
  const begun = performance.now();
  let attempts = 0;
  // Keeps the process alive during a pause, because nothing else may.
  const alive = setInterval(() => undefined, 60_000);
  const tryOnce = () => {
    attempts++;
    return attempt();
  };
  try {
    return await backOff(tryOnce, {
      numOfAttempts: limit < 0 ? Number.MAX_SAFE_INTEGER : Math.max(1, limit),
      startingDelay: 250,
      maxDelay: 10_000,
      retry: (error) => {
        log(() => `${target.label}: attempt ${attempts}: ${(error as Error).message}`);
        return error instanceof HostError && !(error instanceof NotRetriedError);
      },
    });
  } catch (error) {
    if (!(error instanceof HostError) || attempts < 2) throw error;
    const seconds = Math.round((performance.now() - begun) / 1000);
    const reason = `${error.reason} (${attempts} attempts in ${seconds} s)`;
    const Kind = isDown(error) ? HostError : NotRetriedError;
    throw new Kind(error.host, reason, error.remedy);
  } finally {
    clearInterval(alive);
  }
}
