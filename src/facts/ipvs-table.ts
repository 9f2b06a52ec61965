import { endpoint, type Family, parseEndpoint } from "../values/address.js";
import { show } from "../values/problem.js";
import { serverNumbers } from "../values/server-numbers.js";
import { printService, type ServiceAddress } from "../values/service-address.js";
import { fact } from "./fact.js";

/** Options of one `ipvsadm -Sn` line, by flag. A flag without a value has "". */
export type Flags = ReadonlyMap<string, string>;

interface IpvsService {
  readonly flags: Flags;
  /** Real servers by `address:port`. */
  readonly realServers: ReadonlyMap<string, Flags>;
}

/** The director's table by service address (`tcp://192.168.0.219:80`). */
export type IpvsTable = ReadonlyMap<string, IpvsService>;

/** Reads the output of `ipvsadm -Sn` (ipvsadm(8), --save). Throws on a line of another form. */
export function parseIpvsTable(text: string): IpvsTable {
  const table = new Map<string, { flags: Flags; realServers: Map<string, Flags> }>();
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line of ipvsadm -Sn is cut off");
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    if (!/^[ -~]*\r?$/.test(line) || !add(table, parseFlags(line)))
      throw new Error(`not a line of ipvsadm -Sn: ${show(line)}`);
  }
  return table;
}

/** Adds a line to the table. Returns false if it cannot be a line of one. */
function add(
  table: Map<string, { flags: Flags; realServers: Map<string, Flags> }>,
  flags: Flags | undefined,
): boolean {
  const service = flags && serviceOf(flags);
  if (!flags || !service) return false;
  const id = printService(service);
  const known = table.get(id);
  if (flags.has("-A")) {
    table.set(id, { flags, realServers: new Map() });
    return known === undefined && flags.has("-s");
  }
  const at = parseEndpoint(flags.get("-r"));
  const server = at && endpoint(at.address, at.port);
  if (!known || !server || !flags.has("-w") || known.realServers.has(server)) return false;
  known.realServers.set(server, flags);
  return true;
}

const nothing = /^$/;
const digits = /^\d+$/;

/** Forms of the values that these flags have. Flags of later versions have any value or none. */
const forms: Readonly<Record<string, RegExp>> = {
  "-A": nothing,
  "-a": nothing,
  "-6": nothing,
  "-g": nothing,
  "-m": nothing,
  "-i": nothing,
  "-o": nothing,
  "-f": /^-?\d+$/,
  "-s": /^[a-z][\w-]*$/,
  "-p": digits,
  "-M": /^[\d.]+$/,
  ...Object.fromEntries(Object.values(serverNumbers).map((flag) => [flag, digits])),
};

function parseFlags(line: string): Flags | undefined {
  const words = line.trim().split(/\s+/);
  if (words[0] !== "-A" && words[0] !== "-a") return undefined;
  const flags = new Map<string, string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (!/^--?[A-Za-z0-9]/.test(word) || flags.has(word)) return undefined;
    const next = words[i + 1];
    const value = next !== undefined && !/^-\D/.test(next) && forms[word] !== nothing ? next : "";
    if (!(forms[word] ?? /^/).test(value)) return undefined;
    flags.set(word, value);
    if (value !== "") i++;
  }
  return flags;
}

const protocols = { "-t": "tcp", "-u": "udp", "--sctp-service": "sctp" } as const;

function serviceOf(flags: Flags): ServiceAddress | undefined {
  const [kind, ...more] = [...flags.keys()].filter((flag) => flag === "-f" || flag in protocols);
  if (kind === undefined || more.length > 0) return undefined;
  // ipvsadm prints a mark above 2^31 as a negative number. Such a service is another owner's, and keeps its
  // own name.
  if (kind === "-f") return { fwmark: Number(flags.get("-f")), family: flags.has("-6") ? "ipv6" : "ipv4" };
  const at = parseEndpoint(flags.get(kind));
  return at && { protocol: protocols[kind as "-t" | "-u"], ...at };
}

/**
 * Limits on the connections of a real server: at `upper` it gets no new ones, and below `lower` it gets them
 * again. 0 is no limit.
 */
export interface Thresholds {
  readonly upper: number;
  readonly lower: number;
}

export const noThresholds: Thresholds = { upper: 0, lower: 0 };

/** Returns options for `ipvsadm -a` and `-e`, for which a missing threshold is no threshold. */
export const thresholdFlags = ({ upper, lower }: Thresholds): string[] => [
  ...(upper === 0 ? [] : ["-x", String(upper)]),
  ...(lower === 0 ? [] : ["-y", String(lower)]),
];

/** Thresholds by real server, `tcp://192.168.0.219:80/192.168.10.11:80`. Servers without any are left out. */
export type ThresholdTable = ReadonlyMap<string, Thresholds>;

/**
 * Reads the output of `ipvsadm -Ln --thresholds`. Throws on any other line.
 */
export function parseThresholds(text: string): ThresholdTable {
  const table = new Map<string, Thresholds>();
  let service: string | undefined;
  for (const line of text.split("\n")) {
    if (line.trim() === "" || heading.test(line)) continue;
    const [, to, upper, lower] = /^ {2}-> (\S+) +(\d+) +(\d+)(?: +\d+ +\d+ *)?$/.exec(line) ?? [];
    const at = parseEndpoint(to);
    const of = listedService(line);
    if (of) service = printService(of);
    else if (at && service !== undefined) {
      const thresholds = { upper: Number(upper), lower: Number(lower) };
      if (thresholds.upper + thresholds.lower > 0)
        table.set(`${service}/${endpoint(at.address, at.port)}`, thresholds);
    } else throw new Error(`not a line of ipvsadm -Ln --thresholds: ${show(line)}`);
  }
  return table;
}

/** Lines above the first service. */
export const heading = /^(IP Virtual Server version .*|Prot LocalAddress:Port .*| {2}-> RemoteAddress:Port)$/;

/** Returns the service that a line of `ipvsadm -Ln` describes. */
export function listedService(line: string): ServiceAddress | undefined {
  const mark = /^FWM {2}(-?\d+) (IPv6 )?/.exec(line);
  if (mark) return { fwmark: Number(mark[1]), family: mark[2] ? "ipv6" : "ipv4" };
  const [, protocol = "", address] = /^(TCP|UDP|SCTP) {1,2}(\S+) /.exec(line) ?? [];
  const at = parseEndpoint(address);
  return at && { protocol: protocol.toLowerCase() as "tcp" | "udp", ...at };
}

/**
 * Reads the output of `ipvsadm -Sn` and, behind it, that of `ipvsadm -Ln --thresholds`. Both are empty without the
 * module. Throws if the second is missing.
 */
function parseTable(text: string): { ipvs: IpvsTable; thresholds: ThresholdTable } {
  const end = text.search(/^IP Virtual Server version /m);
  if (end < 0 && text !== "") throw new Error("ipvsadm -Ln --thresholds printed nothing");
  return { ipvs: parseIpvsTable(text.slice(0, end)), thresholds: parseThresholds(text.slice(end)) };
}

/** The director's table, and the thresholds of the real servers that have any. */
export const table = fact({ name: "table", parse: parseTable, shown: "`ipvsadm -Sn`" });

/** Returns the prefix length of a `-M` value, which is dotted for IPv4 and a number for IPv6. */
export function netmaskBits(mask: string | undefined, family: Family): number {
  if (mask === undefined) return family === "ipv4" ? 32 : 128;
  if (!mask.includes(".")) return Number(mask);
  return mask
    .split(".")
    .reduce((bits, part) => bits + (Number(part).toString(2).match(/1/g)?.length ?? 0), 0);
}

/** Returns the `-M` value of a prefix length. */
export function netmaskText(bits: number, family: Family): string {
  if (family === "ipv6") return String(bits);
  return [0, 8, 16, 24].map((from) => 256 - 2 ** (8 - Math.min(8, Math.max(0, bits - from)))).join(".");
}
