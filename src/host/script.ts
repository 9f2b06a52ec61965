import { type FactName, factCommand, ticks } from "../facts/facts.js";
import { bootFunctions } from "../shell/boot.js";
import { assign, shellText } from "../shell/index.js";
import { drainFunctions, forwardingFunctions } from "../shell/library.js";
import { lockFile } from "../shell/lock.js";
import { monitorFunctions } from "../shell/monitor.js";
import { prelude } from "../shell/prelude.js";
import { commandLine, quote } from "../shell/quote.js";
import type { Step } from "./step.js";

/** The steps of one resource: done all, or undone all. */
export interface Transaction {
  /** Who wants it, for the marks that shared settings carry on the host. */
  readonly owner: string;
  readonly steps: readonly Step[];
}

export interface Apply {
  /** SHA-256 of the facts that the steps were planned from; the host refuses when they have changed since. */
  readonly expect: string;
  readonly facts: readonly FactName[];
  readonly transactions: readonly Transaction[];
}

const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Seconds to wait for another run that holds the host's lock. */
export const lockSeconds = 60;

/**
 * A script that ends what another, which has taken too long, is doing just now: whatever that one runs is killed, and it hears
 * that it is late, so that it takes back what it has begun and begins nothing more. By now it may have ended, and its number be another's: only who
 * holds the lock as a script does is meant. Whose child a process is says PPid in its status, where the kernel writes a line end
 * of its name, which any user may choose, as `\n` (fs/proc/array.c of Linux); in its stat the name stands raw.
 */
export const endScript = (nonce: string, pid: number): string => `(
${assign({ pid, lock_file: lockFile })}LC_ALL=C ${searchPath}
export LC_ALL PATH
${shellText("lib/stop.sh")}) </dev/null >/dev/null 2>&1
printf '%s\\n' '${nonce} done'
`;

/** A script that only reads. */
export const readScript = (nonce: string, facts: readonly FactName[]): string =>
  whole(nonce, "-s", readFacts(facts));

/** A command that changes nothing, as an argument vector; argv[0] may be a function of the script's. */
export type Query = readonly string[];

/**
 * A script that asks, with functions of its own. What it asks of are others, and it may take its time, so it does not hold the
 * host's lock, which who changes something would wait for.
 */
export const askScript = (nonce: string, functions: string, queries: ReadonlyMap<string, Query>): string =>
  whole(
    nonce,
    "",
    functions + [...queries].map(([name, argv]) => `fact ${quote(name)} ${commandLine(argv)}`).join("\n"),
  );

/**
 * A script that changes the host and reads it back. Transactions of a single ipvsadm line go through one `ipvsadm -R`,
 * which costs a process for all of them; its exit code lies, so the reader looks at what came of each. Their owner marks go
 * along: new ones before, so that nothing is there without one, and old ones after, once all went well, as records do.
 */
export function applyScript(nonce: string, { expect, facts, transactions }: Apply): string {
  const numbered = transactions.map((transaction, i) => ({ ...transaction, i }));
  const bulk = inBulk(transactions);
  const lines = numbered.flatMap(({ i, ...transaction }) =>
    bulk.has(i) ? [] : [renderTransaction(transaction, i)],
  );
  const together = [...bulk].flatMap((i) => transactions[i]?.steps ?? []);
  const rules = together.filter(isRule).map(({ run }) => run.slice(1).join(" "));
  const aside = (name: string) => {
    const lines = together.flatMap(({ run: [command, ...words] }) => (command === name ? words : []));
    return lines.length > 0 ? [`aside ${commandLine([name, ...lines])}`] : [];
  };
  const guarded = facts.filter((name) => !ticks(name)).map(factCommand);
  return whole(
    nonce,
    "-x",
    [
      `if [ "$({ ${guarded.join("; ") || ":"}; } 2>/dev/null | sha256sum)" != '${expect}  -' ]; then`,
      "say stale",
      "else",
      ...(rules.length > 0
        ? [
            [
              ...["mark", "keep", "note"].flatMap(aside),
              `bulk <<'${nonce}'`,
              ...["unkeep", "unnote", "unmark"].flatMap(aside),
            ].join(" && "),
            ...rules,
            nonce,
          ]
        : []),
      ...lines,
      "safe",
      "fi",
      readFacts(facts),
    ].join("\n"),
  );
}

// of what is not about an entry there is one, which needs no bulk
const isRule = ({ run }: Step): boolean => run[0] === "ipvsadm" && !run[1]?.startsWith("--");
const aboutRecords = new Set(["mark", "unmark", "keep", "unkeep", "note", "unnote", ":"]);
const isMark = ({ run }: Step): boolean => aboutRecords.has(run[0] ?? "");

/**
 * Which transactions are one plain ipvsadm line each, and at most marks and records; alone, one goes the common way, for its own
 * error text.
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

/** Steps without those that are only about whose it is, and what comes back after a reboot. */
export const rulesOf = (steps: readonly Step[]): readonly Step[] => steps.filter((step) => !isMark(step));

const readFacts = (facts: readonly FactName[]): string =>
  facts.map((name) => `fact ${quote(name)} ${factCommand(name)}`).join("\n");

function renderTransaction({ owner, steps }: Transaction, index: number): string {
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
 * One subshell in parentheses: a shell runs nothing of it before it has read the closing one, so a script that is cut off
 * on the way is no script at all. Once started it hears no signal that a lost connection brings, and holds the host's lock
 * until it has finished or undone its work. One that does not lock has the lock file open too: endScript knows it by that.
 */
function whole(nonce: string, lock: "-s" | "-x" | "", body: string): string {
  return `(
N=${nonce}
trap '' HUP INT TERM PIPE
late= looks=${lock === "-x" ? "" : 1}
trap late=1 USR1
LC_ALL=C ${searchPath}
export LC_ALL PATH
umask 022
prelude=${quote(prelude)}
eval "$prelude"
${lock === "-x" ? `${bootFunctions}${drainFunctions}${forwardingFunctions}${monitorFunctions}${transactionFunctions}` : ""}
${lock === "" ? "open_lock" : `take_lock ${lock} ${lockSeconds * 5}`}
locked=$?
if [ $locked = 0 ]; then
# not by a child, whose own number it would be
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
