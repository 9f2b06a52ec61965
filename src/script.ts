import { type FactName, factCommand } from "./facts.js";
import { prelude } from "./prelude.js";
import { commandLine, quote } from "./quote.js";
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

/** Seconds to wait for another run that holds the host's lock. */
export const lockSeconds = 60;

/** A script that only reads. */
export const readScript = (nonce: string, facts: readonly FactName[]): string =>
  whole(nonce, "-s", readFacts(facts));

/**
 * A script that changes the host and reads it back. Single-step ipvsadm transactions go through one `ipvsadm -R`,
 * which costs a process for all of them; its exit code lies, so the reader looks at what came of each.
 */
export function applyScript(nonce: string, { expect, facts, transactions }: Apply): string {
  const numbered = transactions.map((transaction, i) => ({ ...transaction, i }));
  const bulk = inBulk(transactions);
  const lines = numbered.flatMap(({ i, ...transaction }) =>
    bulk.has(i) ? [] : [renderTransaction(transaction, i)],
  );
  const rules = [...bulk].map((i) => (transactions[i] as Transaction).steps[0]?.run.slice(1).join(" "));
  return whole(
    nonce,
    "-x",
    [
      `if [ "$({ ${facts.map(factCommand).join("; ") || ":"}; } 2>/dev/null | sha256sum)" != '${expect}  -' ]; then`,
      "say stale",
      "else",
      ...(rules.length > 0 ? [`bulk <<'${nonce}'`, ...rules, nonce] : []),
      ...lines,
      "fi",
      readFacts(facts),
    ].join("\n"),
  );
}

/** Which transactions are one plain ipvsadm line each; alone, one goes the common way, for its own error text. */
export function inBulk(transactions: readonly Transaction[]): ReadonlySet<number> {
  const plain = transactions.flatMap(({ steps }, i) => {
    const argv = steps[0]?.run ?? [];
    const ok = steps.length === 1 && argv[0] === "ipvsadm" && argv.every((word) => !/[\s'"\\#]/.test(word));
    return ok ? [i] : [];
  });
  return new Set(plain.length > 1 ? plain : []);
}

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

const transactionFunctions = `
begin() { j=$1 owner=$2 n=0; }
step() { out=$("$@" 2>&1 9<&-) || { rc=$?; say "failed $j $n $rc"; text "$out"; return 1; }; n=$((n + 1)); }
back() { out=$("$@" 2>&1 9<&-) || { rc=$?; say "stuck $j $rc"; text "$out"; }; }
# what is done is done, even where nobody hears of it
kept() { say "kept $j"; :; }
bulk() { out=$(ipvsadm -R 2>&1 9<&-) && [ -z "$out" ] || { say bulk; text "$out"; }; }
`;

/**
 * One subshell in parentheses: a shell runs nothing of it before it has read the closing one, so a script that is cut off
 * on the way is no script at all. Once started it hears no signal that a lost connection brings, and holds the host's lock
 * (on a directory that is there anyway, so that no lock file stays behind) until it has finished or undone its work.
 */
function whole(nonce: string, lock: "-s" | "-x", body: string): string {
  return `(
N=${nonce}
trap '' HUP INT TERM PIPE
LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
umask 022
${prelude}${transactionFunctions}
exec 9</root
tries=$((${lockSeconds} * 5))
# not flock -w, which BusyBox has not
if has flock; then until flock ${lock} -n 9 || [ $tries -le 0 ]; do tries=$((tries - 1)); sleep 0.2 2>/dev/null || sleep 1; done; else tries=-127; fi
if [ $tries -gt 0 ]; then
${body}
else
say locked $tries
fi
say done
) </dev/null
`;
}
