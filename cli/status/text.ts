import { isDeepStrictEqual } from "node:util";
import { plainText } from "../../src/values/foreign.js";
import { show } from "../../src/values/problem.js";
import type { Row } from "../failover/text.js";
import { linesOf } from "../failover/text.js";
import type { Difference, Drift } from "./compare.js";

/** A director and how it differs from the state. */
interface DirectorStatus extends Row {
  /** The states of its sync daemons. */
  readonly sync?: readonly string[];
  readonly drift: readonly Pick<Drift, "resource" | "what">[];
}

/** The directors that share addresses. */
export interface GroupStatus {
  readonly address: string;
  readonly routerId: number;
  readonly directors: readonly DirectorStatus[];
  readonly differences: readonly Difference[];
}

/** Returns what two directors have of an entry: `weight is 3 on director1, 1 on director2`. */
function differenceText({ entry, on }: Difference): string {
  const all = Object.entries(on);
  const without = all.filter(([, have]) => have === null).map(([host]) => host);
  if (without.length > 0) return `${entry}: not on ${without.join(" and ")}`;
  const names = [...new Set(all.flatMap(([, have]) => Object.keys(have ?? {})))].filter(
    (name) => !all.every(([, have]) => isDeepStrictEqual(have?.[name], all[0]?.[1]?.[name])),
  );
  const fields = names.map(
    (name) => `${name} is ${all.map(([host, have]) => `${show(have?.[name])} on ${host}`).join(", ")}`,
  );
  return `${entry}: ${fields.join("; ")}`;
}

/** Returns what is wrong with the number of masters, or undefined if there is one. */
export function mastersText(directors: readonly Row[]): string | undefined {
  const masters = directors.filter(({ state }) => state === "master").map(({ host }) => host);
  if (masters.length === 1) return undefined;
  return masters.length === 0
    ? "no director that answers has the addresses"
    : `${masters.join(" and ")} have the addresses at the same time`;
}

/** Returns a group as people see it. */
export function groupText({ address, routerId, directors, differences }: GroupStatus): string {
  const masters = mastersText(directors);
  const syncs = directors.flatMap(({ host, sync }) =>
    sync === undefined ? [] : [`  ${host}: sync ${sync.length > 0 ? sync.join(" and ") : "does not run"}`],
  );
  const drift = directors.flatMap(({ host, drift: all }) =>
    all.map(({ resource, what }) => `  ${host} is not as the state says: ${resource}: ${what}`),
  );
  const unlike = differences.map((one) => `  the tables differ: ${differenceText(one)}`);
  const lines = [...(masters === undefined ? [] : [`  ${masters}`]), ...syncs, ...unlike, ...drift].map(
    (line) => plainText(line, 1000),
  );
  return [`${address} (virtual router ${routerId})`, ...linesOf(directors), ...lines].join("\n");
}
