import type { IpvsTable } from "../../src/facts/ipvs-table.js";
import { endpoint } from "../../src/values/address.js";
import { plainText } from "../../src/values/foreign.js";
import { show } from "../../src/values/problem.js";
import { addressOf, type Expected, portOf, statusOf } from "./expected.js";
import type { Flow, Reply } from "./replies.js";

/** The reason why a result is wrong. */
interface Fault {
  readonly reason: string;
  /** The wrong replies, if there are any. */
  readonly replies: readonly Reply[];
}

/** Returns why the replies are wrong, or undefined if they are as expected. */
export function faultOf(expected: Expected, replies: readonly Reply[]): Fault | undefined {
  const wrong = replies.filter((reply) => mistake(expected, reply) !== undefined);
  const [first] = wrong;
  if (first && (wrong.length > expected.failures || replies.length < expected.requests)) {
    const failed =
      replies.length < expected.requests
        ? `${wrong.length} of the first ${replies.length}`
        : `${wrong.length} of ${expected.requests}`;
    const allowed = expected.failures > 0 ? ` (${expected.failures} may)` : "";
    return { reason: `${failed} requests failed${allowed}: ${mistake(expected, first)}`, replies: wrong };
  }
  if (replies.length < expected.requests)
    return { reason: `only ${replies.length} of ${expected.requests} requests were made`, replies: [] };
  const good = replies.filter((reply) => !wrong.includes(reply));
  const reason = expected.spread && misspread(expected.spread, good);
  return reason ? { reason, replies: [] } : undefined;
}

/** Returns why a reply is wrong, or undefined if it is right. */
export function mistake(expected: Expected, { code, status, fits, message }: Reply): string | undefined {
  if (code !== 0) return message ? plainText(message, 200) : `curl ended with ${code}`;
  const right = statusOf(expected);
  if (!right.includes(status)) return `the status is ${status}, wanted ${right.join(" or ")}`;
  return fits ? undefined : `the body does not contain ${show(expected.contains)}`;
}

function misspread(
  { servers, shares }: NonNullable<Expected["spread"]>,
  replies: readonly Reply[],
): string | undefined {
  const counts = new Map<string, number>();
  for (const { from } of replies) counts.set(from, (counts.get(from) ?? 0) + 1);
  const named = [...counts].sort().map(([name, n]) => `${show(name)} (${n})`);
  const others = named.length > 20 ? ` and ${named.length - 20} others` : "";
  const seen = `replies came from ${named.slice(0, 20).join(", ")}${others}`;
  if (counts.size < servers) return `${seen}: wanted ${servers} servers`;
  const short = Object.entries(shares ?? {}).find(
    ([name, share]) => (counts.get(name) ?? 0) < share * replies.length,
  );
  return short && `${seen}: wanted at least ${short[1]} of them from ${show(short[0])}`;
}

/** The director's view of the requests. */
export interface Seen {
  readonly table: IpvsTable;
  /** Connections of the client, before and after. */
  readonly before: readonly Flow[];
  readonly flows: readonly Flow[];
  /** Whether the client is the director itself. */
  readonly local: boolean;
}

/** Returns the hop that fails, or undefined if the director does not show it. */
export function brokenLeg(expected: Expected, { replies }: Fault, seen: Seen): string | undefined {
  const isNew = (flow: Flow) => !seen.before.some(({ client }) => client === flow.client);
  const unanswered = replies.filter(({ port }) => port === 0);
  // curl has not tried to connect, so the director knows nothing about it.
  if (unanswered.some(({ code }) => code < 7)) return undefined;
  if (unanswered.length === 0) {
    const ports = replies.map(({ port }) => `:${port}`);
    const by = seen.flows.filter(({ client }) => ports.some((port) => client.endsWith(port)));
    return by.length > 0 ? `that was real server ${serversOf(by)}` : undefined;
  }
  // curl's message for a refusal differs from version to version.
  const refused = unanswered.some(({ code }) => code === 7);
  // With masquerading a refusal passes the director, which then ends the connection.
  const waiting = seen.flows
    .filter(isNew)
    .filter(({ state }) => state === "SYN_RECV" || (refused && state === "CLOSE"));
  if (waiting.length > 0) {
    const servers = serversOf(waiting);
    if (refused) return `real server ${servers} got it: does anything listen there?`;
    const why = whyUnanswered(expected, seen, waiting);
    return `real server ${servers} got the connection, but its answer does not arrive: ${why}`;
  }
  const id = `tcp://${endpoint(addressOf(expected) ?? "", portOf(expected))}`;
  const service = seen.table.get(id);
  const isMarked = [...seen.table.keys()].some((name) => name.startsWith("fwmark:"));
  if (!service) return isMarked ? undefined : `the director has no service ${id}`;
  const takers = [...service.realServers.values()].filter((flags) => flags.get("-w") !== "0");
  if (takers.length === 0) return `the director has no real server for ${id} that takes connections`;
  return seen.local
    ? undefined
    : "nothing of it reached the director: does it have the VIP, and does no other host answer ARP for it?";
}

function whyUnanswered(expected: Expected, seen: Seen, waiting: readonly Flow[]): string {
  const flags = [...seen.table.values()].flatMap(({ realServers }) =>
    waiting.flatMap(({ server }) => realServers.get(server) ?? []),
  );
  if (flags.some((one) => one.has("-m"))) {
    return "is it up, and does it answer by way of the director?";
  }
  if (seen.local)
    return "with gatewaying it answers as the VIP, which is the director's own address, so probe from another host";
  return `is it up, and does it have ${addressOf(expected)} on lo?`;
}

const serversOf = (flows: readonly Flow[]): string =>
  [...new Set(flows.map(({ server }) => server))].sort().join(" and ");
