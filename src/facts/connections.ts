import { endpoint, parseEndpoint } from "../values/address.js";
import { show } from "../values/problem.js";
import { printService } from "../values/service-address.js";
import { fact } from "./fact.js";
import { heading, listedService } from "./ipvs-table.js";

/** Numbers of connections to one real server (ipvsadm(8), --persistent-conn). */
interface ConnectionCounts {
  /** Templates that send clients of a persistent service to it. */
  readonly persistent: number;
  /** Established TCP connections. */
  readonly active: number;
  /** TCP connections that begin or end, and all UDP connections. */
  readonly inactive: number;
}

/** Counts by service address (`tcp://192.168.0.219:80`) and real server (`192.168.10.11:80`). */
export type Connections = ReadonlyMap<string, ReadonlyMap<string, ConnectionCounts>>;

/** Reads the output of `ipvsadm -Ln --persistent-conn`. Throws on a line of another form. */
export function parseConnections(text: string): Connections {
  const table = new Map<string, Map<string, ConnectionCounts>>();
  let servers: Map<string, ConnectionCounts> | undefined;
  for (const line of text.split("\n")) {
    if (line.trim() === "" || heading.test(line)) continue;
    const server = /^ {2}-> (\S+) +(\d+) +(\d+) +(\d+) +(\d+) *$/.exec(line);
    const service = server ? undefined : listedService(line);
    if (service && !table.has(printService(service))) {
      servers = new Map();
      table.set(printService(service), servers);
      continue;
    }
    const at = parseEndpoint(server?.[1]);
    const name = at && endpoint(at.address, at.port);
    if (!server || !name || !servers || servers.has(name))
      throw new Error(`not a line of ipvsadm -Ln --persistent-conn: ${show(line)}`);
    const [persistent, active, inactive] = server.slice(3).map(Number) as [number, number, number];
    servers.set(name, { persistent, active, inactive });
  }
  return table;
}

/** The numbers of connections of each real server. */
export const connections = fact({
  name: "connections",
  parse: parseConnections,
  shown: "`ipvsadm -Ln --persistent-conn`",
  ticks: true,
});
