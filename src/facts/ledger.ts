import { show } from "../values/problem.js";
import { fact } from "./fact.js";

/**
 * How long a record lasts: `persistent` ones are restored after a reboot, `untilReboot` ones go with it.
 *
 * Each lifetime has a file of its own: /etc/pulumi-lvs/boot and /run/pulumi-lvs/boot. The names stay, because
 * the restore and the health agent that an older version installed on a host read them.
 */
export const lifetimes = ["persistent", "untilReboot"] as const;
type Lifetime = (typeof lifetimes)[number];

/** The record of a declared thing: one line on the host, with its owner and the data to make it again. */
export interface LedgerRecord {
  readonly lifetime: Lifetime;
  /** Order of restoring at boot: two digits. */
  readonly rank: string;
  /**
   * An `object` has one owner. A `setting` is claimed by each of its owners, and so is an object that they share.
   * Restores and agents of older versions know these two words only.
   */
  readonly nature: "object" | "setting";
  /** `KIND ID`. */
  readonly thing: string;
  /** `project/stack/name`, for settings followed by a blank and the id. */
  readonly owner: string;
  /**
   * A verb of the restore (boot/verbs.sh) and its arguments. Older versions kept one text of shell, which
   * does not run any more.
   */
  readonly words: readonly string[];
}

/** A line that is not a record. */
interface MalformedLine {
  readonly lifetime: Lifetime;
  readonly line: string;
}

/** All records of a host. */
export interface Ledger {
  readonly records: readonly LedgerRecord[];
  /** Returns the records of one thing. */
  of(thing: string): readonly LedgerRecord[];
  /** Returns the records of things below another: `RealServer tcp://192.168.0.219:80` has those of its servers. */
  below(thing: string): readonly LedgerRecord[];
  /** Returns whether the owner has a record. */
  hasOwner(owner: string): boolean;
  /** Lines that are not records, because they were cut off or edited. They are ignored. */
  readonly malformed: readonly MalformedLine[];
  /** Whether the host is set up to restore them. */
  readonly isRestored: boolean;
}

/** Returns the line of a record. Throws if a word would break the line. */
export function printRecord({ rank, nature, thing, owner, words }: LedgerRecord): string {
  const parts = [rank, nature, thing, owner, ...words];
  if (parts.some((part) => part === "" || /[\t\n]/.test(part)))
    throw new Error(`a record cannot hold ${show(parts)}`);
  return parts.join("\t");
}

/** Reads the output of read_ledger (lib/read.sh). Throws on text of another form. */
export function parseLedger(body: string): Ledger {
  if (body === "") return ledgerOf([], false);
  // The text came byte by byte and is UTF-8.
  const text = Buffer.from(body, "latin1").toString("utf8");
  const parts = /^(restored\n)?--\n([\s\S]*?)\n--\n([\s\S]*)$/.exec(text);
  if (!parts) throw new Error(`unexpected output ${show(text)}`);
  const [, restored, persistent = "", untilReboot = ""] = parts;
  const read = (lines: string, lifetime: Lifetime) =>
    lines
      .split("\n")
      .filter(Boolean)
      .map((line) => recordOf(line, lifetime));
  return ledgerOf(
    [...read(persistent, "persistent"), ...read(untilReboot, "untilReboot")],
    restored !== undefined,
  );
}

function ledgerOf(lines: readonly (LedgerRecord | MalformedLine)[], isRestored: boolean): Ledger {
  const records = lines.filter((one) => "words" in one);
  const byThing = grouped(records, ({ thing }) => thing);
  const byParent = grouped(records, ({ thing }) => parentOf(thing));
  const owners = new Set(records.map(({ owner }) => owner));
  return {
    records,
    hasOwner: (owner) => owners.has(owner),
    of: (thing) => byThing.get(thing) ?? [],
    below: (thing) => byParent.get(thing) ?? [],
    malformed: lines.filter((one) => "line" in one),
    isRestored,
  };
}

/** Returns what a thing is below of: it ends before the last slash. */
export const parentOf = (thing: string): string => thing.slice(0, Math.max(0, thing.lastIndexOf("/")));

function grouped(records: readonly LedgerRecord[], keyOf: (one: LedgerRecord) => string) {
  const groups = new Map<string, LedgerRecord[]>();
  for (const one of records) {
    const group = groups.get(keyOf(one));
    if (group) group.push(one);
    else groups.set(keyOf(one), [one]);
  }
  return groups;
}

function recordOf(line: string, lifetime: Lifetime): LedgerRecord | MalformedLine {
  const [, rank, nature, thing, owner, words] =
    /^(\d\d)\t(object|setting)\t([^\t]+)\t([^\t]+)\t([^\t].*)$/.exec(line) ?? [];
  const isOne = rank !== undefined && words !== undefined && !words.split("\t").includes("");
  if (!isOne || /[^\t\P{Cc}]/u.test(line)) return { lifetime, line };
  return { lifetime, rank, nature, thing, owner, words: words.split("\t") } as LedgerRecord;
}

/** The records of what is declared, and whether they would be restored after a reboot. */
export const ledger = fact({
  name: "ledger",
  parse: parseLedger,
  shown: "/etc/pulumi-lvs/boot and /run/pulumi-lvs/boot",
});
