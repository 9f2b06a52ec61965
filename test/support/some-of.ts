const seed = process.env.LVS_SEED || "20261129";
const start = seed === "random" ? Math.floor(Math.random() * 1000) : Number(seed);

/**
 * One of so many cases, and at least one of each list. Which ones goes by LVS_SEED, so that other seeds try the others.
 * LVS_FAULTS=all tries all.
 */
export const someOf = <Case>(all: readonly Case[], share: number): Case[] =>
  process.env.LVS_FAULTS === "all"
    ? [...all]
    : all.filter((_, i) => (i + start) % Math.min(share, Math.max(1, all.length)) === 0);
