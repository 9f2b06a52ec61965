import { endpoint, type Family, parseEndpoint } from "../values/address.js";
import { show } from "../values/problem.js";
import { printService, type ServiceAddress } from "../values/service-address.js";

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
  "-w": digits,
  "-x": digits,
  "-y": digits,
  "-M": /^[\d.]+$/,
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
