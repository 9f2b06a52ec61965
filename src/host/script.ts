import { type FactName, factCommand, ticks } from "../facts/facts.js";
import { lifetimes } from "../facts/ledger.js";
import { isTracing } from "../log.js";
import { assign } from "../shell/index.js";
import { commandLine, quote } from "../shell/quote.js";
import { realHost } from "../shell/surroundings.js";
import { isIdle, type Step } from "./step.js";

/** The steps of one resource. The host does all of them, or undoes all of them. */
export interface Transaction {
  /** The owner, for the claims that shared settings have on the host. */
  readonly owner: string;
  readonly steps: readonly Step[];
  /** Steps of an earlier transaction to undo. Then there are no other steps. A failure stops none of them. */
  readonly undo?: readonly Step[];
}

interface Apply {
  /** SHA-256 of the facts behind the plan. The host refuses the steps if they have changed since. */
  readonly expect: string;
  readonly facts: readonly FactName[];
  readonly transactions: readonly Transaction[];
}

/** Seconds to wait while another run holds the host's lock. */
export const lockSeconds = realHost.LOCK_TRIES / 5;

/** Returns a script that stops another one that exceeded its time. */
export const endScript = (nonce: string, pid: number): string =>
  inSubshell(nonce, [commandLine(["stop_script", String(pid)]), "print_line done"]);

/** Returns a script that only reads. */
export const readScript = (nonce: string, facts: readonly FactName[]): string =>
  inSubshell(nonce, [...readings(facts.map((name) => [name, factCommand(name)])), "run_script -s readings"]);

/** A command that changes nothing, as an argument vector. argv[0] may be a function of the script. */
export type Query = readonly string[];

/**
 * Returns a script that queries other hosts, with functions of its own. It does not take the host's lock,
 * because queries may take long and changes would wait for the lock.
 */
export const queryScript = (nonce: string, functions: string, queries: ReadonlyMap<string, Query>): string =>
  inSubshell(nonce, [
    functions.trimEnd(),
    ...readings([...queries].map(([name, argv]) => [name, commandLine(argv)])),
    "run_script none readings",
  ]);

/**
 * Returns a script that changes the host and reads it back.
 *
 * Transactions of a single ipvsadm line share one `ipvsadm -R`, which is one process for all. Its exit code
 * is only that of the last line, so the caller checks the result of each. Records go along: new ones before
 * the lines, so that nothing exists without an owner, and old ones after all lines succeeded.
 */
export function applyScript(nonce: string, { expect, facts, transactions }: Apply): string {
  const numbered = transactions.map((transaction, i) => ({ ...transaction, i }));
  const bulk = inBulk(transactions);
  const lines = numbered.flatMap(({ i, ...transaction }) =>
    bulk.has(i) ? [] : renderTransaction(transaction, i),
  );
  const together = [...bulk].flatMap((i) => transactions[i]?.steps ?? []);
  const rules = rulesOf(together).map(({ run }) => run.slice(1).join(" "));
  const aside = (role: Step["role"] & string) =>
    lifetimes.flatMap((lifetime) => {
      const of = together.filter((step) => step.role === role && step.run[1] === lifetime);
      const lines = of.flatMap(({ run }) => run.slice(2));
      return lines.length > 0 ? [`aside ${commandLine([role, lifetime, ...lines])}`] : [];
    });
  const guarded = facts.filter((name) => !ticks(name)).map((name) => `guard ${factCommand(name)}`);
  return inSubshell(nonce, [
    assign({ expect }).trimEnd(),
    ...shellFunction("guarded", guarded),
    ...shellFunction("changes", [
      ...(rules.length > 0
        ? ["begin_bulk", ...aside("record"), `bulk <<'${nonce}'`, ...rules, nonce, ...aside("erase")]
        : []),
      ...lines,
    ]),
    ...readings(facts.map((name) => [name, factCommand(name)])),
    "run_script -x apply",
  ]);
}

/**
 * Returns the transactions that are one plain ipvsadm line, with records at most. A single
 * one runs by itself, for its own error text.
 */
export function inBulk(transactions: readonly Transaction[]): ReadonlySet<number> {
  const plain = transactions.flatMap(({ steps }, i) => {
    const [rule, ...more] = rulesOf(steps);
    return rule !== undefined && more.length === 0 && rule.role === "entry" ? [i] : [];
  });
  return new Set(plain.length > 1 ? plain : []);
}

/** Returns the steps without those for records. */
export const rulesOf = (steps: readonly Step[]): readonly Step[] =>
  steps.filter((step) => !isIdle(step) && step.role !== "record" && step.role !== "erase");

/** Returns the steps that write records, which come before the bulk. */
export const recordsOf = (steps: readonly Step[]): readonly Step[] =>
  steps.filter(({ role }) => role === "record");

function renderTransaction({ owner, steps, undo }: Transaction, index: number): string[] {
  const undoLines = (name: (i: number) => string, of: readonly Step[]) =>
    of
      .flatMap(({ undo, isPartial }, i) =>
        undo ? [`${name(isPartial ? i - 1 : i)} ${commandLine(undo)}`] : [],
      )
      .reverse();
  if (undo) return [`undo ${index} ${quote(owner)}`, ...undoLines(() => "run_undo", undo)];
  return [
    `begin ${index} ${quote(owner)}`,
    ...steps.map(({ run }) => `step ${commandLine(run)}`),
    "kept",
    ...undoLines((i) => `undo_step ${i}`, steps),
  ];
}

/** Returns a function of that name, with a line for each command. A function cannot be empty. */
const shellFunction = (name: string, commands: readonly string[]): string[] => [
  `${name}() {`,
  ...(commands.length > 0 ? commands : [":"]),
  "}",
];

/** Returns the function that reads facts. Each is a name and a command. */
const readings = (facts: readonly (readonly [string, string])[]): string[] =>
  shellFunction(
    "readings",
    facts.map(([name, command]) => `fact ${quote(name)} ${command}`),
  );

/**
 * Returns a script as one subshell in parentheses. A shell runs nothing of it before it has read the closing
 * one, so a script that is cut off on the way does nothing. Its last line is a function of the opening
 * (src/shell/opening.ts), which runs the steps.
 */
const inSubshell = (nonce: string, lines: readonly string[]): string =>
  `(\n${assign({ N: nonce, ...(isTracing() && { trace: 1 }) })}${lines.join("\n")}\n) </dev/null\n`;
