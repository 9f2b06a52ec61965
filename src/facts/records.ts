import { show } from "../values/problem.js";

/** A record of a declared thing: one line on the host, with the data to make the thing from nothing. */
export interface DeclaredRecord {
  /** `boot` is restored after a reboot, `now` lasts until then. */
  readonly until: "boot" | "now";
  /** Order of restoring at boot: two digits. */
  readonly rank: string;
  readonly nature: "object" | "setting";
  /** `KIND ID`. */
  readonly thing: string;
  /** `project/stack/name` for objects, and the name of the claim for settings. */
  readonly owner: string;
  /**
   * A verb of the restore (boot/verbs.sh) and its arguments. Older versions kept one text of shell, which
   * does not run any more.
   */
  readonly words: readonly string[];
}

/** A line that is not a record. */
interface Misfit {
  readonly until: DeclaredRecord["until"];
  readonly line: string;
}

/** All of a host's records. */
export interface Declared {
  readonly records: readonly DeclaredRecord[];
  /** Lines that are not records, because they were cut off or edited. They are ignored. */
  readonly misfits: readonly Misfit[];
  /** Whether the host is set up to restore them. */
  readonly isRestored: boolean;
}

/** Returns the line of a record. Throws if a word would break the line. */
export function printRecord({ rank, nature, thing, owner, words }: DeclaredRecord): string {
  const parts = [rank, nature, thing, owner, ...words];
  if (parts.some((part) => part === "" || /[\t\n]/.test(part)))
    throw new Error(`a record cannot hold ${show(parts)}`);
  return parts.join("\t");
}

/** Reads the output of read_declared (lib/read.sh). Throws on text of another form. */
export function parseDeclared(body: string): Declared {
  if (body === "") return { records: [], misfits: [], isRestored: false };
  // The text came byte by byte and is UTF-8.
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
