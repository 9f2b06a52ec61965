import { show } from "./problems.js";

/** What is declared on a host is recorded there: one line for each thing, with the commands that bring it about from nothing. */
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
  /** Shell text. */
  readonly commands: string;
}

/** All of a host's records. */
export interface Declared {
  readonly records: readonly DeclaredRecord[];
  /** Whether there is something that brings them back. */
  readonly isRestored: boolean;
}

/** A record as its line. */
export const printRecord = ({ rank, nature, thing, owner, commands }: DeclaredRecord): string =>
  [rank, nature, thing, owner, commands].join("\t");

/** Reads what read_declared (prelude.ts) prints. Throws on what is not of its form. */
export function parseDeclared(body: string): Declared {
  if (body === "") return { records: [], isRestored: false };
  // what came byte by byte is UTF-8
  const text = Buffer.from(body, "latin1").toString("utf8");
  const parts = /^(restored\n)?--\n((?:.|\n)*?)\n--\n((?:.|\n)*)$/.exec(text);
  if (!parts) throw new Error(`unexpected output ${show(text)}`);
  const [, restored, boot = "", now = ""] = parts;
  return {
    isRestored: restored !== undefined,
    records: [...recordsOf(boot, "boot"), ...recordsOf(now, "now")],
  };
}

const recordsOf = (text: string, until: DeclaredRecord["until"]): DeclaredRecord[] =>
  text.split("\n").flatMap((line) => {
    if (line === "") return [];
    const [, rank, nature, thing, owner, commands] =
      /^(\d\d)\t(object|setting)\t([^\t]+)\t([^\t]*)\t(.*)$/.exec(line) ?? [];
    if (rank === undefined) throw new Error(`not a record: ${show(line)}`);
    return [{ until, rank, nature, thing, owner, commands } as DeclaredRecord];
  });
