import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { plainText } from "../../src/values/foreign.js";
import type { Line } from "./lines.js";
import type { PlannedChange } from "./plan.js";

const format = "pulumi-lvs plan 1";

/** A change as it was reviewed. */
type SavedChange = Pick<PlannedChange, "host" | "op" | "resource" | "urn" | "unknown"> & {
  readonly lines: readonly Pick<Line, "text" | "undo" | "content" | "undoContent">[];
  readonly undo: readonly string[];
  /** What the host had, if it was read. */
  readonly has?: Readonly<Record<string, unknown>> | null;
};

/** A plan in a file. */
interface SavedPlan {
  readonly format: typeof format;
  readonly stack: string;
  /** Whether hosts were read. */
  readonly live: boolean;
  readonly changes: readonly SavedChange[];
  /** Pulumi's own plan. Its secrets are encrypted. */
  readonly pulumi: unknown;
}

/** The update is not that of the plan. */
export class PlanRefused extends Error {}

const savedChange = ({
  host,
  op,
  resource,
  urn,
  unknown,
  lines,
  undo,
  live,
}: PlannedChange): SavedChange => ({
  ...{ host, op, resource, urn },
  ...(unknown ? { unknown } : {}),
  lines: lines.map(({ text, undo, content, undoContent }) => ({
    ...{ text, undo },
    ...(content ? { content } : {}),
    ...(undoContent ? { undoContent } : {}),
  })),
  undo: undo.map(({ text }) => text),
  ...(live ? { has: live.has } : {}),
});

/** Writes a plan to a file that its owner alone can read. */
export function savePlan(
  file: string,
  { changes, ...plan }: Omit<SavedPlan, "format" | "changes"> & { changes: readonly PlannedChange[] },
): void {
  const saved = { format, ...plan, changes: changes.map(savedChange) };
  // A file of that name may be there, with other rights.
  const fresh = `${file}.${process.pid}`;
  try {
    writeFileSync(fresh, `${JSON.stringify(saved, null, 2)}\n`, { mode: 0o600, flag: "wx" });
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw new Error(`cannot write the plan: ${(error as Error).message}`);
  }
}

/** Reads the plan of a stack from a file. Returns undefined for a plan of `pulumi preview --save-plan`. */
export function savedPlan(file: string, stack: string): SavedPlan | undefined {
  let plan: SavedPlan & { readonly resourcePlans?: unknown };
  try {
    plan = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new PlanRefused(
      `cannot read the plan: ${plainText((error as Error).message)}; write one with pulumi-lvs plan --save`,
    );
  }
  if (plan?.format === undefined && plan?.resourcePlans) return undefined;
  if (plan?.format !== format)
    throw new PlanRefused(
      `cannot run the plan ${plainText(file)}: it is not of this version of pulumi-lvs; write one with pulumi-lvs plan --save`,
    );
  if (plan.stack !== stack)
    throw new PlanRefused(
      `cannot run the plan ${plainText(file)}: it is of the stack ${plainText(plan.stack)}, not of ${stack}; name its stack by --stack`,
    );
  return plan;
}

const shown = (value: unknown): string => plainText(value === undefined ? "none" : JSON.stringify(value));
const linesText = (lines: readonly { text: string }[]): string =>
  lines.length === 0 ? "no line" : lines.map(({ text }) => plainText(text, 500)).join("; ");

/** Returns what differs between two states of one thing. */
function factsUnlike(was: SavedChange["has"], is: SavedChange["has"]): string[] {
  if (isDeepStrictEqual(was, is)) return [];
  if (!was || !is) return [was ? "it was there, and is not" : "it was not there, and is"];
  return Object.keys({ ...was, ...is })
    .filter((name) => !isDeepStrictEqual(was[name], is[name]))
    .map((name) => `${name} was ${shown(was[name])}, is ${shown(is[name])}`);
}

/** Returns what differs between what two lines write. */
function contentUnlike(what: string, was: readonly string[] = [], is: readonly string[] = []): string[] {
  if (isDeepStrictEqual(was, is)) return [];
  const only = (some: readonly string[], others: readonly string[]) =>
    shown(some.filter((line) => !others.includes(line)).join("; ") || "other order");
  return [`${plainText(what)} ${only(is, was)}, had ${only(was, is)}`];
}

/** Returns what differs between two lists of lines. */
function linesUnlike(was: SavedChange, is: SavedChange): string[] {
  const unknown = (change: SavedChange) => change.unknown?.join(", ") ?? "none";
  const pairs = Array.from({ length: Math.max(was.lines.length, is.lines.length) }, (_, i) => [
    was.lines[i],
    is.lines[i],
  ]);
  return [
    ...(unknown(was) === unknown(is)
      ? []
      : [`properties not known were ${unknown(was)}, are ${unknown(is)}`]),
    ...pairs.flatMap(([before, now]) => [
      ...(before?.text === now?.text ? [] : [`the line was ${shown(before?.text)}, is ${shown(now?.text)}`]),
      ...(before?.undo === now?.undo || before?.text !== now?.text
        ? []
        : [`the undo line was ${shown(before?.undo)}, is ${shown(now?.undo)}`]),
      ...(before?.text === now?.text
        ? [
            ...contentUnlike(`${now?.text} has`, before?.content, now?.content),
            ...contentUnlike(`undo of ${now?.text} has`, before?.undoContent, now?.undoContent),
          ]
        : []),
    ]),
    ...(isDeepStrictEqual(was.undo, is.undo)
      ? []
      : [`undo also was ${shown(was.undo)}, is ${shown(is.undo)}`]),
  ];
}

/** Returns what differs between a plan as reviewed and the update now, a line for each difference. */
export function differencesOf(saved: readonly SavedChange[], changes: readonly PlannedChange[]): string[] {
  const keyOf = ({ urn, op }: SavedChange) => `${op} ${urn}`;
  const titled = ({ host, op, resource }: SavedChange, what: string) =>
    `${plainText(host)}: ${op} ${plainText(resource)}: ${what}`;
  const now = new Map(changes.map(savedChange).map((one) => [keyOf(one), one]));
  const was = new Map(saved.map((one) => [keyOf(one), one]));
  return [
    ...[...was].flatMap(([key, one]) => {
      const is = now.get(key);
      if (!is) return [titled(one, `was in the plan with ${linesText(one.lines)}, is not in the update`)];
      if (is.host !== one.host) return [titled(one, `the host was ${shown(one.host)}, is ${shown(is.host)}`)];
      return [...factsUnlike(one.has, is.has), ...linesUnlike(one, is)].map((what) => titled(one, what));
    }),
    ...[...now]
      .filter(([key]) => !was.has(key))
      .map(([, one]) => titled(one, `was not in the plan, is in the update with ${linesText(one.lines)}`)),
  ];
}
