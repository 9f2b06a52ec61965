/**
 * Returns the milliseconds for which a script held the host's lock, from its line of `LVS_LOG=trace`: all parts after it
 * got the lock. Returns undefined for any other line.
 */
export function heldIn(line: string): number | undefined {
  const parts = /lvs: director: script \d+ in \d+ ms: .*lock \d+ ms, (.*)$/.exec(line)?.[1];
  return parts === undefined
    ? undefined
    : [...parts.matchAll(/(\d+) ms/g)].reduce((sum, [, took]) => sum + Number(took), 0);
}
