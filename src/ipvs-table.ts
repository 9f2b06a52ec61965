import { type Family, ipAddress } from "./address.js";
import { printService, type ServiceAddress } from "./service-address.js";

/** Options of one `ipvsadm -Sn` line, by flag; a flag without a value has "". */
export type Flags = ReadonlyMap<string, string>;

export interface IpvsService {
  readonly flags: Flags;
  /** Real servers by `address:port`. */
  readonly realServers: ReadonlyMap<string, Flags>;
}

/** The director's table by service address (`tcp://192.168.0.219:80`). */
export type IpvsTable = ReadonlyMap<string, IpvsService>;

/** Reads what `ipvsadm -Sn` prints (ipvsadm(8), --save). Throws on a line that is not of its form. */
export function parseIpvsTable(text: string): IpvsTable {
  const table = new Map<string, { flags: Flags; realServers: Map<string, Flags> }>();
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const flags = parseFlags(line);
    const service = flags && serviceOf(flags);
    if (!flags || !service)
      throw new Error(`not a line of ipvsadm -Sn: ${JSON.stringify(line.slice(0, 120))}`);
    const id = printService(service);
    if (flags.has("-A")) table.set(id, { flags, realServers: new Map() });
    else table.get(id)?.realServers.set(flags.get("-r") ?? "", flags);
  }
  return table;
}

function parseFlags(line: string): Flags | undefined {
  const words = line.trim().split(/\s+/);
  if (words[0] !== "-A" && words[0] !== "-a") return undefined;
  const flags = new Map<string, string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (!word.startsWith("-")) return undefined;
    const next = words[i + 1];
    const value = next !== undefined && !/^-\D/.test(next) ? next : "";
    flags.set(word, value);
    if (value !== "") i++;
  }
  return flags;
}

function serviceOf(flags: Flags): ServiceAddress | undefined {
  const mark = flags.get("-f");
  // a mark above 2^31 is printed negative: another owner's service, kept apart under a name of its own
  if (mark !== undefined) return { fwmark: Number(mark), family: flags.has("-6") ? "ipv6" : "ipv4" };
  const [flag, protocol] = (
    [
      ["-t", "tcp"],
      ["-u", "udp"],
      ["--sctp-service", "sctp"],
    ] as const
  ).find(([f]) => flags.has(f)) ?? [undefined, undefined];
  if (!flag) return undefined;
  const parts = /^(?:\[(.+)\]|([^[\]:]+)):(\d+)$/.exec(flags.get(flag) ?? "");
  const address = ipAddress.safeParse(parts?.[1] ?? parts?.[2]);
  if (!parts || !address.success) return undefined;
  return { protocol: protocol as "tcp" | "udp", address: address.data, port: Number(parts[3]) };
}

/** Prefix length of a `-M` value: dotted for IPv4, a number for IPv6. */
export function netmaskBits(mask: string | undefined, family: Family): number {
  if (mask === undefined) return family === "ipv4" ? 32 : 128;
  if (!mask.includes(".")) return Number(mask);
  return mask
    .split(".")
    .reduce((bits, part) => bits + (Number(part).toString(2).match(/1/g)?.length ?? 0), 0);
}

/** A `-M` value from a prefix length. */
export function netmaskText(bits: number, family: Family): string {
  if (family === "ipv6") return String(bits);
  return [0, 8, 16, 24].map((from) => 256 - 2 ** (8 - Math.min(8, Math.max(0, bits - from)))).join(".");
}
