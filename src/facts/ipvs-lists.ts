import { endpoint, ipAddress, parseEndpoint } from "../values/address.js";
import { show } from "../values/problem.js";
import { printService, type ServiceAddress } from "../values/service-address.js";
import { fact } from "./fact.js";
import { type IpvsTable, parseIpvsTable } from "./ipvs-table.js";

// Readers of the output of `ipvsadm -Ln`, besides the table of `ipvsadm -Sn`.

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

/** Seconds for which the kernel remembers a connection, by its state. */
export interface Timeouts {
  readonly tcp: number;
  readonly tcpFin: number;
  readonly udp: number;
}

/**
 * Reads the output of `ipvsadm -Ln --timeout`. Returns undefined if it is empty, and throws on any other
 * text.
 */
export function parseTimeouts(text: string): Timeouts | undefined {
  if (text === "") return undefined;
  const [, tcp, tcpFin, udp] = /^Timeout \(tcp tcpfin udp\): (\d+) (\d+) (\d+)\n$/.exec(text) ?? [];
  if (udp === undefined) throw new Error(`not what ipvsadm -Ln --timeout prints: ${show(text)}`);
  return { tcp: Number(tcp), tcpFin: Number(tcpFin), udp: Number(udp) };
}

/** A running sync daemon. */
export interface Daemon {
  readonly state: "master" | "backup";
  readonly mcastInterface: string;
  readonly syncid: number;
  readonly syncMaxlen: number;
  readonly mcastGroup: string;
  readonly mcastPort: number;
  readonly mcastTtl: number;
}

const daemonLine =
  /^(master|backup) sync daemon \(mcast=([!-~]+), syncid=(\d+), maxlen=(\d+), group=(\S+), port=(\d+), ttl=(\d+)\)$/;

/** Reads the output of `ipvsadm -Ln --daemon`. Throws on a line of another form. */
export function parseDaemons(text: string): readonly Daemon[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [, state, mcastInterface, syncid, maxlen, group, port, ttl] = daemonLine.exec(line) ?? [];
      const mcastGroup = ipAddress.safeParse(group);
      if (mcastInterface === undefined || !mcastGroup.success)
        throw new Error(`not a line of ipvsadm -Ln --daemon: ${show(line)}`);
      return {
        state: state as Daemon["state"],
        mcastInterface,
        syncid: Number(syncid),
        syncMaxlen: Number(maxlen),
        mcastGroup: mcastGroup.data,
        mcastPort: Number(port),
        mcastTtl: Number(ttl),
      };
    });
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

/** The director's timeouts, or undefined if the module is not loaded. */
export const timeouts = fact({ name: "timeouts", parse: parseTimeouts, shown: "`ipvsadm -Ln --timeout`" });

/** The running sync daemons. */
export const daemons = fact({ name: "daemons", parse: parseDaemons, shown: "`ipvsadm -Ln --daemon`" });
