import { type FactName, factCommand, ticks } from "../facts/facts.js";
import { lifetimes } from "../facts/ledger.js";
import { bootFunctions } from "../shell/boot.js";
import { assign, shellText } from "../shell/index.js";
import { drainFunctions, forwardingFunctions } from "../shell/library.js";
import { lockFile } from "../shell/lock.js";
import { monitorFunctions } from "../shell/monitor.js";
import { prelude } from "../shell/prelude.js";
import { commandLine, quote } from "../shell/quote.js";
import { headOf, realHost, type Surroundings } from "../shell/surroundings.js";
import type { Step } from "./step.js";

/** The steps of one resource. The host does all of them, or undoes all of them. */
export interface Transaction {
  /** The owner, for the claims that shared settings have on the host. */
  readonly owner: string;
  readonly steps: readonly Step[];
  /** Steps of an earlier transaction to undo. Then there are no other steps. A failure stops none of them. */
  readonly undo?: readonly Step[];
}

export interface Apply {
  /** SHA-256 of the facts behind the plan. The host refuses the steps if they have changed since. */
  readonly expect: string;
  readonly facts: readonly FactName[];
  readonly transactions: readonly Transaction[];
}

/** Seconds to wait while another run holds the host's lock. */
export const lockSeconds = realHost.LOCK_TRIES / 5;

/**
 * Returns the text that a connection gets before its first script: what scripts assume of the host. `overrides`
 * are shell functions of tests that stand in for some of ours.
 */
export const openingText = (surroundings: Surroundings = realHost, overrides = ""): string =>
  assign({ head: headOf(surroundings), overrides });

/**
 * Returns a script that stops another one that exceeded its time.
 *
 * It signals that script (USR1) to start nothing more and undo its work, then kills its children. It does
 * nothing unless the PID still holds the host's lock file open, because PIDs are reused.
 *
 * It reads the parent of a process from PPid in `status`. Any user may choose a process name, but there the
 * kernel writes a line end of the name as `\n` (fs/proc/array.c of Linux). In `stat` the name is raw.
 */
export const endScript = (nonce: string, pid: number): string => `(
eval "$head"
${assign({ pid })}lock_file=$ROOT${lockFile} LC_ALL=C
export LC_ALL PATH
${shellText("lib/stop.sh")}) </dev/null >/dev/null 2>&1
printf '%s\\n' '${nonce} done'
`;

/** Returns a script that only reads. */
export const readScript = (nonce: string, facts: readonly FactName[]): string =>
  whole(nonce, "-s", readFacts(facts));

/** A command that changes nothing, as an argument vector. argv[0] may be a function of the script. */
export type Query = readonly string[];

/**
 * Returns a script that queries other hosts, with functions of its own. It does not take the host's lock,
 * because queries may take long and changes would wait for the lock.
 */
export const askScript = (nonce: string, functions: string, queries: ReadonlyMap<string, Query>): string =>
  whole(
    nonce,
    "",
    functions + [...queries].map(([name, argv]) => `fact ${quote(name)} ${commandLine(argv)}`).join("\n"),
  );

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
    bulk.has(i) ? [] : [renderTransaction(transaction, i)],
  );
  const together = [...bulk].flatMap((i) => transactions[i]?.steps ?? []);
  const rules = together.filter(isRule).map(({ run }) => run.slice(1).join(" "));
  const aside = (name: "record" | "erase") =>
    lifetimes.flatMap((lifetime) => {
      const lines = together.flatMap(({ run: [command, of, ...words] }) =>
        command === name && of === lifetime ? words : [],
      );
      return lines.length > 0 ? [`aside ${commandLine([name, lifetime, ...lines])}`] : [];
    });
  const guarded = facts.filter((name) => !ticks(name)).map(factCommand);
  return whole(
    nonce,
    "-x",
    [
      `if [ "$({ ${guarded.join("; ") || ":"}; } 2>/dev/null | sha256sum)" != '${expect}  -' ]; then`,
      "say stale",
      "else",
      "take_over",
      ...(rules.length > 0
        ? [[...aside("record"), `bulk <<'${nonce}'`, ...aside("erase")].join(" && "), ...rules, nonce]
        : []),
      ...lines,
      "safe",
      "fi",
      readFacts(facts),
    ].join("\n"),
  );
}

// Commands with a long option, such as timeouts, come once only and need no bulk.
const isRule = ({ run }: Step): boolean => run[0] === "ipvsadm" && !run[1]?.startsWith("--");
const aboutRecords = new Set(["record", "erase", ":"]);
const isAboutRecords = ({ run }: Step): boolean => aboutRecords.has(run[0] ?? "");

/**
 * Returns the transactions that are one plain ipvsadm line, with records at most. A single
 * one runs by itself, for its own error text.
 */
export function inBulk(transactions: readonly Transaction[]): ReadonlySet<number> {
  const plain = transactions.flatMap(({ steps }, i) => {
    const [rule, ...more] = rulesOf(steps);
    const ok =
      rule !== undefined &&
      isRule(rule) &&
      more.length === 0 &&
      rule.run.every((word) => !/[\s'"\\#]/.test(word));
    return ok ? [i] : [];
  });
  return new Set(plain.length > 1 ? plain : []);
}

/** Returns the steps without those for records. */
export const rulesOf = (steps: readonly Step[]): readonly Step[] =>
  steps.filter((step) => !isAboutRecords(step));

/** Returns the steps that write records, which come before the bulk. */
export const recordsOf = (steps: readonly Step[]): readonly Step[] =>
  steps.filter(({ run }) => run[0] === "record");

const readFacts = (facts: readonly FactName[]): string =>
  facts.map((name) => `fact ${quote(name)} ${factCommand(name)}`).join("\n");

function renderTransaction({ owner, steps, undo }: Transaction, index: number): string {
  if (undo) {
    const backs = undo.flatMap(({ undo }) => (undo ? [`back ${commandLine(undo)}`] : [])).reverse();
    return [`undo ${index} ${quote(owner)}`, ...backs].join("\n");
  }
  const undos = steps
    .flatMap(({ undo }, i) => (undo ? [`[ "$n" -le ${i} ] || back ${commandLine(undo)}`] : []))
    .reverse();
  return [
    `begin ${index} ${quote(owner)}`,
    ...steps.map(({ run }) => `step ${commandLine(run)} &&`),
    "kept || {",
    ...undos,
    ":",
    "}",
  ].join("\n");
}

const transactionFunctions = shellText("lib/transaction.sh");

/**
 * Returns a script as one subshell in parentheses. A shell runs nothing of it before it has read the closing
 * one, so a script that is cut off on the way does nothing.
 *
 * A running script ignores the signals of a lost connection. It holds the host's lock until it has finished
 * or undone its work. A script without a lock has the lock file open, too, because endScript recognises it by
 * that.
 */
function whole(nonce: string, lock: "-s" | "-x" | "", body: string): string {
  return `(
N=${nonce}
trap '' HUP INT TERM PIPE
late= looks=${lock === "-x" ? "" : 1}
trap late=1 USR1
umask 022
prelude=$head${quote(prelude)}
eval "$prelude"
LC_ALL=C
export LC_ALL PATH
${lock === "-x" ? `${bootFunctions}${drainFunctions}${forwardingFunctions}${monitorFunctions}${transactionFunctions}` : ""}
eval "$overrides"
${lock === "" ? "open_lock" : `take_lock ${lock} "$LOCK_TRIES"`}
locked=$?
if [ $locked = 0 ]; then
# Not in a child process, which would get its own number.
read -r P rest </proc/self/stat
say "begun $P"
${body}
else
say locked $locked
fi
[ -z "$late" ] || say late
say done
) </dev/null
`;
}
