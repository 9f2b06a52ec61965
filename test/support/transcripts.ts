import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { link, listOf, routeEntry } from "../../src/facts/ip-lists.js";
import { ipAddress } from "../../src/values/address.js";

/** A command line and what the tool answered, without what differs between hosts. See test/transcripts/README.md. */
export interface Run {
  readonly run: string;
  readonly code: number;
  readonly out: unknown;
  readonly err: readonly string[];
}

/** Command lines that follow each other on a host that begins clean. */
export interface Session {
  readonly title: string;
  readonly runs: readonly Run[];
}

export const folder = join(__dirname, "../transcripts");

/** All sessions, by tool. */
export const transcripts = new Map<string, readonly Session[]>(
  globSync("*.json", { cwd: folder })
    .sort()
    .map((file) => [
      basename(file, ".json"),
      JSON.parse(readFileSync(join(folder, file), "utf8")) as Session[],
    ]),
);

const lines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter(Boolean);

const isNamed = (session: Session, text: string): boolean =>
  session.runs.some(({ run }) => run.split(/[\s/]/).some((word) => canonical(word) === text));

const canonical = (word: string): string => {
  const { success, data } = ipAddress.safeParse(word);
  return success ? data : word;
};

const addressesIn = (session: Session, text: string) =>
  listOf(link)
    .parse(JSON.parse(text))
    .flatMap(({ ifname, addr_info }) =>
      addr_info.flatMap((entry) =>
        "local" in entry && isNamed(session, entry.local) ? [{ interface: ifname, ...entry }] : [],
      ),
    );

const routesIn = (session: Session, text: string) =>
  listOf(routeEntry)
    .parse(JSON.parse(text || "[]"))
    .filter(({ dst }) => isNamed(session, dst.replace(/\/.*/, "")))
    .map(({ type: _, ...route }) => route);

/** What matters of a standard output: the parts that our parsers read, in one order. */
function viewOf(session: Session, run: string, text: string): unknown {
  if (run === "ip -j addr show") return addressesIn(session, text);
  if (/^ip -j -[46] route show table \S+$/.test(run))
    return text.startsWith("[{") ? routesIn(session, text) : [];
  if (run === "ipvsadm -Sn") return lines(text).sort();
  // the counts of connections at the end of a line, and the size of the table
  if (run.startsWith("ipvsadm -Ln --thresholds"))
    return lines(text)
      .slice(1)
      .map((line) => line.replace(/^( {2}-> \S+ +\d+ +\d+) .*/, "$1"));
  if (run.startsWith("modprobe --show-depends"))
    return lines(text)
      .map((line) => line.replace(/^insmod .*\/([^/.]+)\.ko.*/, "insmod $1"))
      .slice(-1);
  return lines(text);
}

// kernels from 6.9 on have words of their own for errors that others know by number
const kernelWords: readonly (readonly [RegExp, string])[] = [
  [/^Error: ipv[46]: [Aa]ddress already assigned\.$/, "RTNETLINK answers: File exists"],
  [/^Error: ipv[46]: [Aa]ddress not found\.$/, "RTNETLINK answers: Cannot assign requested address"],
];

const errorOf = (line: string): string =>
  kernelWords.find(([theirs]) => theirs.test(line))?.[1] ??
  line.replaceAll(/\/lib\/modules\/[^\s/]+/g, "/lib/modules/VERSION");

/** A run as it is kept. */
export const runOf = (
  session: Session,
  run: string,
  { code, stdout, stderr }: { code: number; stdout: string; stderr: string },
): Run => ({
  run,
  code,
  out: viewOf(session, run, stdout),
  err: lines(stderr).map(errorOf),
});
