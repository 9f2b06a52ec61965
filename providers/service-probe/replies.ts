import type { Query } from "../../src/host/script.js";
import { plainText } from "../../src/values/foreign.js";
import { show } from "../../src/values/problem.js";

/** What a host asks of a service, and how often. */
export interface Asking {
  /** `http://…`, `https://…`, or `tcp://ADDRESS:PORT` for a mere connection. */
  readonly url: string;
  /** Address that is asked, where the URL has a name; null is whatever the name stands for. */
  readonly address: string | null;
  readonly requests: number;
  /** Failures after which it need not go on. */
  readonly failures: number;
  /** Seconds that each may take. */
  readonly timeout: number;
  /** Status codes that are right. */
  readonly status: readonly number[];
  /** What the body must contain; null is anything. */
  readonly contains: string | null;
  /** Header that tells who replied; null is the first line of the body. */
  readonly header: string | null;
  /** Whether any certificate will do. */
  readonly insecure: boolean;
}

/** What came of one request. */
export interface Reply {
  /** curl's exit code; 0 where there was a reply, or a mere connection that was asked for. */
  readonly code: number;
  readonly status: number;
  /** Port that it was asked from; 0 where nobody answered. */
  readonly port: number;
  /** Whether the body is as it must be. */
  readonly fits: boolean;
  /** Who replied, by header or body. */
  readonly from: string;
  /** What curl said. */
  readonly said: string;
}

/** Where the way to an address begins. */
export interface Way {
  /** Whether the address is the host's own. */
  readonly local: boolean;
  /** Router on the way; undefined where the address is on the link. */
  readonly via: string | undefined;
  readonly device: string;
  /** The host's address that is asked from; undefined where the host does not say. */
  readonly source: string | undefined;
}

/** A connection that a director passes on. */
export interface Flow {
  readonly state: string;
  /** `ADDRESS:PORT` of who asks, and of the real server. */
  readonly client: string;
  readonly server: string;
}

const isTcp = (url: string): boolean => url.startsWith("tcp:");

/** Requests that run at a time: what only connects waits for its time to be over (curl's telnet does not hang up), so many do. */
export const together = (url: string): number => (isTcp(url) ? 20 : 1);

/** The query that asks. */
export function asking(of: Asking): Query {
  const { hostname, port, protocol } = new URL(of.url);
  return [
    "ask_service",
    String(of.requests),
    String(together(of.url)),
    String(of.failures),
    of.status.join(" "),
    of.url,
    of.header ?? "",
    of.contains ?? "",
    // first of all, or the user's own settings count
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
    // a pipe of its own: see ask_once
    "-o",
    "/proc/self/fd/5",
    "-w",
    "\\nlvs-asked %{http_code} %{local_port}-\\n",
  ];
}

const bracketed = (address: string): string => (address.includes(":") ? `[${address}]` : address);

/** What `asking` prints; throws a text where that makes no sense. */
export function parseReplies({ url }: Pick<Asking, "url">, body: string): Reply[] {
  return lines(body).map((line) => {
    const parts = /^(\d+) (\d*) (\d*)- ([01]) ?([\s\S]*)$/.exec(line);
    if (!parts) throw new Error(`unexpected line ${show(line)}`);
    const [code, status, port, fits] = parts.slice(1, 5).map(Number) as [number, number, number, number];
    const text = plainText(parts[5]?.trim() ?? "", 200);
    // who only wants to be connected minds nothing that follows: silence, what is no HTTP (1 and 8), or too much of it (23)
    const reached = isTcp(url) && port > 0 && [0, 1, 8, 23, 28, 52, 56].includes(code);
    const end = reached ? 0 : code;
    return {
      code: end,
      status: reached ? 0 : status,
      port,
      fits: fits === 1,
      from: end === 0 && !reached ? text : "",
      said: end === 0 ? "" : text,
    };
  });
}

/** What `ip route get` prints. */
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

/** What `read_flows` prints. */
export const parseFlows = (body: string): Flow[] =>
  lines(body).flatMap((line) => {
    const [, , state, client, , server] = line.trim().split(/\s+/);
    return state && client && server ? [{ state, client, server }] : [];
  });

/** MAC addresses, as `ask_arp` and `read_macs` print them, in one form. */
export const parseMacs = (body: string): string[] =>
  [...body.matchAll(/[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}/gi)].map(([mac]) => macText(mac));

/** A MAC address with two small digits in each part. */
export const macText = (mac: string): string =>
  mac
    .toLowerCase()
    .split(":")
    .map((part) => part.padStart(2, "0"))
    .join(":");

const lines = (body: string): string[] =>
  Buffer.from(body, "latin1").toString("utf8").split("\n").filter(Boolean);
