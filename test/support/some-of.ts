import { seed } from "./seed.mjs";

/**
 * One of so many cases, and at least one of each list. Which ones goes by LVS_SEED, so that other seeds try the others.
 * LVS_FAULTS=all tries all.
 */
export const someOf = <Case>(all: readonly Case[], share: number): Case[] =>
  process.env.LVS_FAULTS === "all"
    ? [...all]
    : all.filter((_, i) => (i + seed) % Math.min(share, Math.max(1, all.length)) === 0);
