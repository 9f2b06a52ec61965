import { HostError, lastLines, missingTool, remedyFor } from "../../src/errors.js";
import type { Section } from "../../src/facts/facts.js";
import { parseIpvsTable } from "../../src/facts/ipvs-table.js";
import type { Query } from "../../src/host/script.js";
import { probeFunctions } from "../../src/shell/library.js";
import { type Connection, hostLabel } from "../../src/ssh/connection.js";
import { endpoint } from "../../src/values/address.js";
import { show } from "../../src/values/problem.js";
import type { Operation } from "../engine/change.js";
import { addressOf, type Expected, portOf, statusOf } from "./expected.js";
import {
  parseFlows,
  parseMacs,
  parseReplies,
  parseWay,
  type Reply,
  requestsOf,
  together,
  type Way,
} from "./replies.js";
import { brokenLeg, faultOf, mistake, type Seen } from "./result.js";

/** What a probe sends its queries by: the connection is of the host that sends them. */
type ProbeContext = Pick<Operation, "connection" | "query">;

/** Milliseconds from one round to the next. */
const pause = 1000;

/**
 * Repeats rounds until the result is as expected. After the time is over it throws the reason, with the
 * hop that fails.
 */
export async function probeUntilRight(
  expected: Expected,
  { connection, query }: ProbeContext,
): Promise<void> {
  let end: number | undefined;
  for (;;) {
    const reason = await round(expected, { connection, query });
    if (reason === undefined) return;
    // The wait in the queues of the hosts before the first round does not count.
    end ??= performance.now() + expected.within * 1000;
    const left = end - performance.now();
    if (left <= 0) throw new HostError(hostLabel(connection), reason);
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)));
  }
}

/** Runs one round. Returns the reason of a failure, or undefined. */
async function round(expected: Expected, { connection, query }: ProbeContext): Promise<string | undefined> {
  const address = addressOf(expected);
  const here = (queries: Record<string, Query>) => answers(query, connection, queries);
  const needsWay = address !== undefined && (expected.arp !== null || expected.director !== null);
  const way = needsWay ? parseWay((await here({ way: ["read_next_hop", address] }))("way")) : undefined;
  if (expected.arp && address && way) {
    const reason = await wrongArp(expected, address, way, { connection, query });
    if (reason) return reason;
  }
  const director = expected.director;
  const observe = async (): Promise<Seen> => {
    const at = endpoint(address ?? "", portOf(expected));
    const output = await answers(query, director as NonNullable<typeof director>, {
      table: ["read_ipvs"],
      flows: ["read_flows", at, way?.source ?? ""],
    });
    const flows = parseFlows(output("flows"));
    return { table: parseIpvsTable(output("table")), flows, before: [], local: way?.local === true };
  };
  const before = director ? await observe() : undefined;
  const fault = faultOf(expected, await replies(expected, { connection, query }));
  if (!fault || !before) return fault?.reason;
  const leg = brokenLeg(expected, fault, { ...(await observe()), before: before.flows });
  return leg ? `${fault.reason}; ${leg}` : fault.reason;
}

/**
 * Returns all replies, or as many as are enough. Each part of the requests takes less time than a script may.
 */
async function replies(expected: Expected, { connection, query }: ProbeContext): Promise<Reply[]> {
  const seconds = Math.min(60, (connection.operationTimeout ?? 120) / 2);
  const part = Math.max(1, Math.floor(seconds / expected.timeout)) * together(expected.url);
  const all: Reply[] = [];
  for (let failures = expected.failures; all.length < expected.requests && failures >= 0; ) {
    const number = Math.min(part, expected.requests - all.length);
    const header = expected.spread?.header ?? null;
    const requests = requestsOf({
      ...expected,
      requests: number,
      failures,
      status: statusOf(expected),
      header,
    });
    const output = await answers(query, connection, { replies: requests });
    const some = repliesIn(hostLabel(connection), expected, output("replies"));
    all.push(...some);
    if (some.length < number) break;
    failures -= some.filter((reply) => mistake(expected, reply) !== undefined).length;
  }
  return all;
}

const repliesIn = (host: string, expected: Expected, body: string) => {
  try {
    return parseReplies(expected, body);
  } catch (error) {
    throw new HostError(host, (error as Error).message);
  }
};

/** Returns the reason if other machines than expected answer ARP for the address. */
async function wrongArp(
  { arp, director }: Expected,
  address: string,
  way: Way,
  { connection, query }: ProbeContext,
): Promise<string | undefined> {
  if (way.local)
    return `arp: ${address} is an address of this host; probe from another host, or leave arp out`;
  if (way.via !== undefined && !arp?.interface)
    return `arp: ${address} is behind ${way.via}; probe from a host on its network, or leave arp out`;
  const device = arp?.interface ?? way.device;
  const output = await answers(query, connection, { macs: ["probe_arp", device, address] });
  const macs = parseMacs(output("macs"));
  const [mac, ...more] = macs;
  if (mac === undefined) return `no host answers ARP for ${address} on ${device}`;
  const own = arp?.mac
    ? [arp.mac]
    : director && parseMacs((await answers(query, director, { macs: ["read_macs"] }))("macs"));
  const strangers = own ? macs.filter((one) => !own.includes(one)) : [];
  if (strangers.length > 0 && own)
    return `${strangers.join(" and ")} answers ARP for ${address}, and is not the director; suppress ARP on that machine (ArpSuppression)`;
  return more.length > 0
    ? `${macs.join(" and ")} answer ARP for ${address}; all but the director must keep silent (ArpSuppression)`
    : undefined;
}

const remedies: Readonly<Record<string, string>> = {
  curl: "install curl there",
  arping: "install arping there (Debian: apt-get install iputils-arping), or leave arp out",
};

/**
 * Runs queries. Returns a function that gives an answer by its name, or throws the reason why the query
 * failed.
 */
async function answers(
  query: ProbeContext["query"],
  connection: Connection,
  queries: Record<string, Query>,
): Promise<(name: string) => string> {
  const sections = await query(connection, probeFunctions, new Map(Object.entries(queries)));
  const host = hostLabel(connection);
  return (name) => {
    const section: Section | undefined = sections.get(name);
    if (!section) throw new HostError(host, `unexpected output: there is no section ${show(name)}`);
    if ("body" in section) return section.body;
    const tool = missingTool(section.text) ?? "";
    throw new HostError(
      host,
      lastLines(section.text) || `the query ${name} failed (exit code ${section.code})`,
      remedies[tool] ?? remedyFor(section.text),
    );
  };
}
