import { endpoint, ipAddress } from "./address.js";
import { show } from "./problems.js";
import { parseService, printService } from "./service-address.js";

/** How many connections go to one real server (ipvsadm(8), --persistent-conn). */
export interface ConnectionCounts {
  /** Templates that send clients of a persistent service there. */
  readonly persistent: number;
  /** Established TCP connections. */
  readonly active: number;
  /** TCP connections that are beginning or ending, and all of UDP. */
  readonly inactive: number;
}

/** Counts by service address (`tcp://192.168.0.219:80`) and real server (`192.168.10.11:80`). */
export type Connections = ReadonlyMap<string, ReadonlyMap<string, ConnectionCounts>>;

const heading =
  /^(IP Virtual Server version .*|Prot LocalAddress:Port +Weight +PersistConn ActiveConn InActConn| {2}-> RemoteAddress:Port)$/;

/** Reads what `ipvsadm -Ln --persistent-conn` prints. Throws on a line that is not of its form. */
export function parseConnections(text: string): Connections {
  const table = new Map<string, Map<string, ConnectionCounts>>();
  let servers: Map<string, ConnectionCounts> | undefined;
  for (const line of text.split("\n").map((line) => line.trimEnd())) {
    if (line === "" || heading.test(line)) continue;
    const server = /^ {2}-> (\S+) +(\d+) +(\d+) +(\d+) +(\d+)$/.exec(line);
    const service = server ? undefined : serviceOf(line);
    if (service !== undefined && !table.has(service)) {
      servers = new Map();
      table.set(service, servers);
      continue;
    }
    const at = endpointOf(server?.[1]);
    if (!server || !at || !servers || servers.has(at))
      throw new Error(`not a line of ipvsadm -Ln --persistent-conn: ${show(line)}`);
    const [persistent, active, inactive] = server.slice(3).map(Number) as [number, number, number];
    servers.set(at, { persistent, active, inactive });
  }
  return table;
}

/** `ADDRESS:PORT`, with the address in canonical text, since C libraries differ in how they print IPv6. */
function endpointOf(text = ""): string | undefined {
  const parts = /^(?:\[(.+)\]|([^[\]:]+)):(\d{1,5})$/.exec(text);
  const address = ipAddress.safeParse(parts?.[1] ?? parts?.[2]);
  return parts && address.success ? endpoint(address.data, Number(parts[3])) : undefined;
}

function serviceOf(line: string): string | undefined {
  const mark = /^FWM {2}(-?\d+)( IPv6)? \S+/.exec(line);
  // a mark above 2^31 is printed negative: another owner's
  if (mark) return printService({ fwmark: Number(mark[1]), family: mark[2] ? "ipv6" : "ipv4" });
  const [, protocol = "", at] = /^(TCP|UDP|SCTP) +(\S+) \S+/.exec(line) ?? [];
  const where = endpointOf(at);
  if (where === undefined) return undefined;
  const text = `${protocol.toLowerCase()}://${where}`;
  const known = parseService(text);
  return known ? printService(known) : text;
}
