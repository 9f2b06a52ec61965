import fc from "fast-check";

/**
 * Returns the number by which a run chooses and generates its cases. `random` draws one, to look for cases that no run
 * has tried.
 */
export function seedOf(given: string | undefined): number {
  // A run of the same commit tries the same cases, so that a green run stays green.
  const seed = given === "random" ? Math.floor(Math.random() * 2 ** 31) : Number(given || 20261129);
  if (!Number.isSafeInteger(seed)) throw new Error(`LVS_SEED must be an integer, or random, and is ${given}`);
  return seed;
}

/** That of LVS_SEED. */
export const seed = seedOf(process.env.LVS_SEED);
// All workers of a run have the same.
process.env.LVS_SEED = String(seed);
fc.configureGlobal({ seed });
