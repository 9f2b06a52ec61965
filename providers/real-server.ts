import { z } from "zod";
import { endpoint, familyOf, hostAddress, portOrAny } from "../src/address.js";
import type { Facts } from "../src/facts.js";
import type { Flags } from "../src/ipvs-table.js";
import {
  parseService,
  type ServiceAddress,
  serviceFamily,
  serviceFlags,
  serviceReference,
} from "../src/service-address.js";
import { step } from "../src/step.js";
import { define } from "./define.js";

/** Arguments of a RealServer. */
export interface RealServerArgs {
  /** The virtual service it stands behind: `web.id`, or text such as `tcp://192.168.0.219:80`. A change replaces. */
  service: string;
  /** Address of the real server (RIP). A change replaces. */
  address: string;
  /** Port, 1-65535; the service's own unless masquerading. 0 (the port that was asked for) behind fwmark and every-port services. A change replaces. */
  port: number;
  /**
   * How packets reach it (ipvsadm(8)): `gatewaying` (LVS/DR, default) leaves them as they are and needs the VIP on the real
   * server; `masquerading` (LVS/NAT) rewrites them and needs the way back through the director.
   */
  forwarding?: "gatewaying" | "masquerading";
  /** Share of new connections relative to the others, 0-65535; 0 quiesces it: no new ones, the old go on. Default 1. */
  weight?: number;
}

const key = z.strictObject({ service: serviceReference, address: hostAddress, port: portOrAny });

const config = z.strictObject({
  forwarding: z.enum(["gatewaying", "masquerading"]).default("gatewaying"),
  weight: z.number().int().min(0).max(65535).default(1),
});

type Config = z.output<typeof config>;

const serviceOf = (text: string) => parseService(text) as ServiceAddress;

const flagsOf = ({ forwarding, weight }: Config) => [
  forwarding === "masquerading" ? "-m" : "-g",
  "-w",
  String(weight),
];

const configOf = (flags: Flags): Config => ({
  // a server that somebody made a tunnel's end shows as what it is, so that the difference is seen and mended
  forwarding: flags.has("-m") ? "masquerading" : flags.has("-i") ? ("tunneling" as never) : "gatewaying",
  weight: Number(flags.get("-w")),
});

/**
 * What is declared of a server that a health monitor keeps out, or lets in only in part, for now: as its record says it. The
 * entry is the monitor's until the server is up.
 */
function watched(facts: Facts, { service, address, port }: z.output<typeof key>): Config | undefined {
  const server = endpoint(address, port);
  if ((facts.health().get(service)?.get(server) ?? "up") === "up") return undefined;
  const record = facts.declared().records.find(({ thing }) => thing === `RealServer ${service}/${server}`);
  const words = record?.commands.replaceAll("'", "").split(" ") ?? [];
  const flags = ["-m", "-g", "-i"].filter((flag) => words.includes(flag)).map((flag) => [flag, ""] as const);
  return record && configOf(new Map([...flags, ["-w", words[words.indexOf("-w") + 1] ?? ""]]));
}

/** A real server: `ipvsadm -Sn` shows it, `-a`, `-e` and `-d` change it. */
export const realServer = define({
  kind: "RealServer",
  key,
  config,
  rank: 60,
  rivals: () => true,

  problems({ service: text, address, port }, { forwarding }) {
    const service = serviceOf(text);
    if (serviceFamily(service) !== familyOf(address)) {
      return [
        {
          path: "address",
          reason: `${address} is not of the service's address family, which only tunneling allows`,
        },
      ];
    }
    // a mark has no port, so each server's is as given
    if ("fwmark" in service) return [];
    // the kernel would rewrite it silently, and the entry would never be found again
    if (forwarding === "gatewaying" && port !== service.port) {
      return [
        {
          path: "port",
          reason: `${port} is not the service's ${service.port}, and gatewaying leaves ports as they are`,
        },
      ];
    }
    if (port === 0 && service.port !== 0) return [{ path: "port", reason: "0 is below 1" }];
    return [];
  },

  id: ({ service, address, port }) => `${service}/${endpoint(address, port)}`,

  facts: () => ["ipvs", "health", "declared"],

  read(facts, { service, address, port }) {
    const kept = watched(facts, { service, address, port });
    if (kept) return kept;
    const found = facts.ipvs().get(service)?.realServers.get(endpoint(address, port));
    return found && configOf(found);
  },

  plan({ service, address, port }, want, have, { facts }) {
    // what is declared is recorded, and the monitor brings it about once the server is well
    if (want && have && watched(facts, { service, address, port })) return [];
    if (!want && !facts.ipvs().get(service)?.realServers.has(endpoint(address, port))) return [];
    const target = [...serviceFlags(serviceOf(service)), "-r", endpoint(address, port)];
    // -e resets whatever is left out, so the whole config goes along each time
    const line = (to: Config | undefined, from: Config | undefined) =>
      to ? ["ipvsadm", from ? "-e" : "-a", ...target, ...flagsOf(to)] : ["ipvsadm", "-d", ...target];
    return [step(line(want, have), line(have, want))];
  },
});
