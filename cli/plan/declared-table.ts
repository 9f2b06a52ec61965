import { type Flags, parseIpvsTable, type Thresholds } from "../../src/facts/ipvs-table.js";

export type Words = readonly string[];

/** Returns the word after a flag. */
export const after = (words: Words, flag: string): string | undefined =>
  words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined;

const without = (words: Words, flags: Words): string[] =>
  words.filter((word, i) => !flags.includes(word) && !flags.includes(words[i - 1] ?? ""));

/** A virtual service with its real servers, as in the host's table. */
export interface DeclaredService {
  readonly flags: Flags;
  readonly realServers: Map<string, Flags>;
}

/** The part of a host that ipvsadm changes line by line. */
interface DeclaredTable {
  readonly table: Map<string, DeclaredService>;
  readonly thresholds: Map<string, Thresholds>;
}

/**
 * Puts a line of ipvsadm into the table, by the arguments. The reader of `ipvsadm -Sn` gives names and flags their form.
 */
export function putEntry({ table, thresholds }: DeclaredTable, [verb = "", ...words]: Words): void {
  const kind = ["-t", "-u", "-f"].find((flag) => words.includes(flag)) ?? "";
  const of = [kind, after(words, kind) ?? "", ...(words.includes("-6") ? ["-6"] : [])];
  const isService = /^-[AED]$/.test(verb);
  const flags = isService && verb !== "-D" ? words : [...of, "-s", "rr"];
  const server = without(words, ["-x", "-y"]);
  const weight = server.includes("-w") ? [] : ["-w", "1"];
  const lines = [["-A", ...flags], ...(isService ? [] : [["-a", ...server, ...weight]])];
  const [[id, read] = ["", undefined]] = parseIpvsTable(lines.map((line) => `${line.join(" ")}\n`).join(""));
  if (!read) return;
  const known = table.get(id);
  if (verb === "-D") table.delete(id);
  else if (isService) table.set(id, { flags: read.flags, realServers: known?.realServers ?? new Map() });
  for (const [at, entry] of isService ? [] : read.realServers) {
    const limits = { upper: Number(after(words, "-x") ?? 0), lower: Number(after(words, "-y") ?? 0) };
    thresholds.delete(`${id}/${at}`);
    if (verb === "-d") known?.realServers.delete(at);
    else {
      known?.realServers.set(at, entry);
      if (limits.upper + limits.lower > 0) thresholds.set(`${id}/${at}`, limits);
    }
  }
}
