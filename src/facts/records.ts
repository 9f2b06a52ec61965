import { show } from "../values/problem.js";

/** What is declared on a host is recorded there: one line for each thing, as data that say how it is brought about from nothing. */
export interface DeclaredRecord {
  /** `boot` comes back after a reboot, `now` is declared until then. */
  readonly until: "boot" | "now";
  /** When it is its turn at boot: two digits. */
  readonly rank: string;
  readonly nature: "object" | "setting";
  /** `KIND ID`. */
  readonly thing: string;
  /** `project/stack/name` for objects, the claim of a setting otherwise. */
  readonly owner: string;
  /** A verb of the restore (restore-verbs.ts) and its arguments. An older version kept one text of shell, which is not run any more. */
  readonly words: readonly string[];
}

/** A line that is no record. */
export interface Misfit {
  readonly until: DeclaredRecord["until"];
  readonly line: string;
}

/** All of a host's records. */
export interface Declared {
  readonly records: readonly DeclaredRecord[];
  /** Lines that are no records: cut off, or edited. They are ignored. */
  readonly misfits: readonly Misfit[];
  /** Whether there is something that brings them back. */
  readonly isRestored: boolean;
}

/** A record as its line. Throws where a word would not stay one. */
export function printRecord({ rank, nature, thing, owner, words }: DeclaredRecord): string {
  const parts = [rank, nature, thing, owner, ...words];
  if (parts.some((part) => part === "" || /[\t\n]/.test(part)))
    throw new Error(`a record cannot hold ${show(parts)}`);
  return parts.join("\t");
}

/** Reads what read_declared (prelude.ts) prints. Throws on what is not of its form. */
export function parseDeclared(body: string): Declared {
  if (body === "") return { records: [], misfits: [], isRestored: false };
  // what came byte by byte is UTF-8
  const text = Buffer.from(body, "latin1").toString("utf8");
  const parts = /^(restored\n)?--\n([\s\S]*?)\n--\n([\s\S]*)$/.exec(text);
  if (!parts) throw new Error(`unexpected output ${show(text)}`);
  const [, restored, boot = "", now = ""] = parts;
  const lines = [boot, now].map((part) => part.split("\n").filter(Boolean));
  const read = lines.flatMap((some, i) => some.map((line) => recordOf(line, i === 0 ? "boot" : "now")));
  return {
    isRestored: restored !== undefined,
    records: read.filter((one) => "words" in one),
    misfits: read.filter((one) => "line" in one),
  };
}

function recordOf(line: string, until: DeclaredRecord["until"]): DeclaredRecord | Misfit {
  const [, rank, nature, thing, owner, words] =
    /^(\d\d)\t(object|setting)\t([^\t]+)\t([^\t]+)\t([^\t].*)$/.exec(line) ?? [];
  const isOne = rank !== undefined && words !== undefined && !words.split("\t").includes("");
  if (!isOne || /[^\t\P{Cc}]/u.test(line)) return { until, line };
  return { until, rank, nature, thing, owner, words: words.split("\t") } as DeclaredRecord;
}
