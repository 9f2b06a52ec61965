import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { quote } from "../../src/shell/quote.js";
import { run } from "../support/machines/lab.mts";

/** What came of a client's requests. */
export interface Load {
  /** Requests that were answered, each a connection of its own. */
  readonly requests: number;
  /** Requests that were answered on connections that were held for seconds. */
  readonly held: number;
  /** How many of the first kind each server answered. */
  readonly servers: Record<string, number>;
  /** How many of the first kind each VIP had. */
  readonly targets: Record<string, number>;
  /** Seconds from the start of the connection to the end of the answer, of requests of the first kind. */
  readonly latency?: { readonly median: number; readonly p99: number; readonly most: number };
  /** One line for each that failed. */
  readonly failures: readonly string[];
}

interface Pace {
  /** How long a held connection lasts. */
  readonly seconds?: number;
  /** The load goes on until so many requests are answered, also after the work. A failure ends it. */
  readonly least?: number;
  /** Seconds between a client's requests. */
  readonly pause?: number;
}

/**
 * Has the client machine ask for a page without a pause while something is done; `moveTo` has it ask somewhere else from
 * then on. The address may have a port after a blank, and then the client's own address. Several are asked in turn.
 */
export async function underLoad(
  address: string | readonly string[],
  work: (moveTo: (address: string) => Promise<void>) => Promise<void>,
  { seconds = 8, least = 0, pause = 0.05 }: Pace = {},
): Promise<Load> {
  const program = await readFile(join(import.meta.dirname, "load.py"), "utf8");
  const quoted = [address].flat().map(quote).join(" ");
  const moveTo = async (where: string) => {
    await run("client", `echo ${where} >/tmp/load.target.new && mv /tmp/load.target.new /tmp/load.target`);
  };
  await run(
    "client",
    `rm -f /tmp/load.stop /tmp/load.report; printf '%s\\n' ${quoted} >/tmp/load.target
cat >/tmp/load.py <<'PROGRAM'
${program}
PROGRAM
nohup python3 /tmp/load.py ${seconds} ${least} ${pause} >/tmp/load.errors 2>&1 </dev/null &`,
  );
  try {
    await work(moveTo);
  } finally {
    await run("client", "touch /tmp/load.stop");
  }
  const { stdout } = await run(
    "client",
    "n=0; until [ -e /tmp/load.report ]; do n=$((n + 1)); [ $n -lt 1200 ] || { cat /tmp/load.errors; exit 1; }; sleep 0.5; done; cat /tmp/load.report",
    { timeoutSeconds: 600 },
  );
  const failures: string[] = [];
  const servers: Record<string, number> = {};
  const targets: Record<string, number> = {};
  const counts = { requests: 0, held: 0 };
  let latency: Load["latency"];
  for (const line of stdout.split("\n").filter(Boolean)) {
    const [word = "", ...rest] = line.split(" ");
    if (word === "failed") failures.push(rest.join(" "));
    else if (word === "latency") {
      const [median = 0, p99 = 0, most = 0] = rest.map(Number);
      latency = { median, p99, most };
    } else if (word === "server") servers[rest[0] as string] = Number(rest[1]);
    else if (word === "target") targets[rest[0] as string] = Number(rest[1]);
    else if (word === "requests" || word === "held") counts[word] = Number(rest[0]);
    else throw new Error(`the client says ${line}`);
  }
  return { ...counts, servers, targets, failures, ...(latency && { latency }) };
}
