import type { Query } from "../../src/host/script.js";
import { plainText } from "../../src/values/foreign.js";
import { show } from "../../src/values/problem.js";

/** The requests of a host to a service. */
interface Requests {
  /** `http://…`, `https://…`, or `tcp://ADDRESS:PORT` for a connection only. */
  readonly url: string;
  /** Address of the service if the URL has a name. null lets the host resolve it. */
  readonly address: string | null;
  readonly requests: number;
  /** Number of failures after which the requests may stop. */
  readonly failures: number;
  /** Seconds for each request. */
  readonly timeout: number;
  /** Accepted status codes. */
  readonly status: readonly number[];
  /** Text that the body must contain. null accepts any body. */
  readonly contains: string | null;
  /** Header that names the sender. null is the first line of the body. */
  readonly header: string | null;
  /** Whether any certificate is accepted. */
  readonly insecure: boolean;
}

/** The result of one request. */
export interface Reply {
  /** curl's exit code. 0 for a reply, and for a connection if that was the request. */
  readonly code: number;
  readonly status: number;
  /** Local port of the request. 0 without a connection. */
  readonly port: number;
  /** Whether the body is as expected. */
  readonly fits: boolean;
  /** The sender's name from the header or body. */
  readonly from: string;
  /** curl's message. */
  readonly message: string;
}

/** The first hop of the way to an address. */
export interface Way {
  /** Whether the address is the host's own. */
  readonly local: boolean;
  /** Router on the way. undefined if the address is on the link. */
  readonly via: string | undefined;
  readonly device: string;
  /** The host's source address. undefined if the host does not show it. */
  readonly source: string | undefined;
}

/** A connection that a director forwards. */
export interface Flow {
  readonly state: string;
  /** `ADDRESS:PORT` of the client and of the real server. */
  readonly client: string;
  readonly server: string;
}

const isTcp = (url: string): boolean => url.startsWith("tcp:");

/**
 * Returns the number of requests at a time. A connection only waits for its timeout, because curl's telnet
 * does not hang up, so many run in parallel.
 */
export const together = (url: string): number => (isTcp(url) ? 20 : 1);

/** Returns the query that sends the requests. */
export function requestsOf(of: Requests): Query {
  const { hostname, port, protocol } = new URL(of.url);
  return [
    "request_service",
    String(of.requests),
    String(together(of.url)),
    String(of.failures),
    of.status.join(" "),
    of.url,
    of.header ?? "",
    of.contains ?? "",
    // Must be the first option, or the user's settings apply.
    "-q",
    "-sSgi",
    "--noproxy",
    "*",
    "--connect-timeout",
    String(of.timeout),
    "-m",
    String(of.timeout),
    ...(of.insecure ? ["-k"] : []),
    ...(of.address === null
      ? []
      : [
          "--connect-to",
          `${hostname}:${port || (protocol === "https:" ? 443 : 80)}:${bracketed(of.address)}:`,
        ]),
    // The reply has its own pipe: see request_once.
    "-o",
    "/proc/self/fd/5",
    "-w",
    "\\nlvs-status %{http_code} %{local_port}-\\n",
  ];
}

const bracketed = (address: string): string => (address.includes(":") ? `[${address}]` : address);

/** Parses the output of `requestsOf`. Throws on a line of another form. */
export function parseReplies({ url }: Pick<Requests, "url">, body: string): Reply[] {
  return lines(body).map((line) => {
    const parts = /^(\d+) (\d*) (\d*)- ([01]) ?([\s\S]*)$/.exec(line);
    if (!parts) throw new Error(`unexpected line ${show(line)}`);
    const [code, status, port, fits] = parts.slice(1, 5).map(Number) as [number, number, number, number];
    const text = plainText(parts[5]?.trim() ?? "", 200);
    // For a connection only, what follows does not matter: silence, a reply that is not HTTP (1 and 8), or
    // too long (23).
    const reached = isTcp(url) && port > 0 && [0, 1, 8, 23, 28, 52, 56].includes(code);
    const end = reached ? 0 : code;
    return {
      code: end,
      status: reached ? 0 : status,
      port,
      fits: fits === 1,
      from: end === 0 && !reached ? text : "",
      message: end === 0 ? "" : text,
    };
  });
}

/** Parses the output of `ip route get`. */
export function parseWay(body: string): Way {
  const words = body.trim().split(/\s+/);
  const after = (word: string) => (words.includes(word) ? words[words.indexOf(word) + 1] : undefined);
  return {
    local: words[0] === "local",
    via: after("via"),
    device: after("dev") ?? "",
    source: after("src"),
  };
}

/** Parses the output of `read_flows`. */
export const parseFlows = (body: string): Flow[] =>
  lines(body).flatMap((line) => {
    const [, , state, client, , server] = line.trim().split(/\s+/);
    return state && client && server ? [{ state, client, server }] : [];
  });

/** Returns the MAC addresses in the output of `probe_arp` and `read_macs`, in one form. */
export const parseMacs = (body: string): string[] =>
  [...body.matchAll(/[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}/gi)].map(([mac]) => macText(mac));

/** Returns a MAC address with two lower-case digits in each part. */
export const macText = (mac: string): string =>
  mac
    .toLowerCase()
    .split(":")
    .map((part) => part.padStart(2, "0"))
    .join(":");

const lines = (body: string): string[] =>
  Buffer.from(body, "latin1").toString("utf8").split("\n").filter(Boolean);
