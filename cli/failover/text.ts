import { plainText } from "../../src/values/foreign.js";
import type { Moved } from "./carry-out.js";
import { type Director, hostOf, isKnown } from "./director.js";
import type { Group } from "./instances.js";

/** A director as people see it. */
export interface Row {
  readonly host: string;
  readonly state: "master" | "backup" | "not known";
  readonly held?: boolean;
  readonly active?: number;
  readonly inactive?: number;
  readonly why?: string;
}

/** What was done to a group. */
export interface Report extends Partial<Moved> {
  readonly address: string;
  readonly routerId: number;
  readonly from?: string;
  readonly before: readonly Row[];
  readonly after: readonly Row[];
}

/** Returns directors as rows, by name. */
export const rowsOf = (directors: readonly Director[]): Row[] =>
  directors.map((one): Row => {
    if (!isKnown(one)) return { host: hostOf(one), state: "not known", why: one.trouble };
    const state = one.has.length > 0 ? "master" : "backup";
    return { host: hostOf(one), state, held: one.isHeld, active: one.active, inactive: one.inactive };
  });

/** Returns the lines of directors: `  director1  master  12 active and 3 inactive connections`. */
export function linesOf(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(({ host }) => host.length));
  return rows.map(({ host, state, held, active, inactive, why }) => {
    const name = `  ${plainText(host).padEnd(width)}  ${state.padEnd(9)}`;
    if (why !== undefined) return `${name}  ${plainText(why, 500)}`;
    return `${name}  ${active} active and ${inactive} inactive connections${held ? ", held" : ""}`;
  });
}

/** Returns a group before anything is done. */
export const beforeText = ({ address, routerId }: Group, rows: readonly Row[]): string =>
  [`${address} (virtual router ${routerId})`, ...linesOf(rows)].join("\n");

/** Returns what was done to a group, and how it is afterwards. */
export function afterText({ address, from, to, seconds = 0, after }: Report): string {
  const done = to
    ? `${address} moved from ${from} to ${to} in ${seconds.toFixed(1)} s`
    : `${address} did not have to move`;
  return [plainText(done), ...linesOf(after)].join("\n");
}
