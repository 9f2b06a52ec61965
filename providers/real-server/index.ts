import { z } from "zod";
import type { Facts } from "../../src/facts/facts.js";
import { type Flags, noThresholds } from "../../src/facts/ipvs-table.js";
import { step } from "../../src/host/step.js";
import { endpoint, familyOf, hostAddress, portOrAny } from "../../src/values/address.js";
import { ranks } from "../../src/values/ranks.js";
import { serverNumbers } from "../../src/values/server-numbers.js";
import {
  serviceFamily,
  serviceFlags,
  serviceNamed,
  serviceReference,
} from "../../src/values/service-address.js";
import { define } from "../engine/define.js";
import { draining } from "./drain.js";
import { type Drain, drain, drainOutputs, drainProblems } from "./drain-fields.js";
import { changeForwarding } from "./forwarding.js";

/** The numbers of a RealServer. A cluster takes them for each of its members. */
export interface RealServerShare {
  /**
   * Share of new connections relative to the others, 0-65535 (ipvsadm(8), --weight). 0 quiesces it: it gets no
   * new connections, and old ones continue. Default 1.
   */
  weight?: number | undefined;
  /**
   * Limit of connections, 0-65535. At the limit it gets no new ones until it has fewer than `lowerThreshold`
   * (ipvsadm(8), --u-threshold). Default 0: no limit.
   */
  upperThreshold?: number | undefined;
  /**
   * Number of connections, 0-65535, below which it gets new ones again. At most `upperThreshold` (ipvsadm(8),
   * --l-threshold). Default 0: three quarters of `upperThreshold`.
   */
  lowerThreshold?: number | undefined;
}

/** Arguments of a RealServer. */
export interface RealServerArgs extends RealServerShare {
  /** Virtual service of the server: `web.id`, or text such as `tcp://192.168.0.219:80`. A change replaces. */
  service: string;
  /** Address of the real server (RIP), IPv4 or IPv6 as that of the service. A change replaces. */
  address: string;
  /**
   * Port, 1-65535. With `gatewaying` it is the port of the service. For a service of a firewall mark or of every
   * port, 0 stands for the port of the request. A change replaces.
   */
  port: number;
  /**
   * Forwarding of packets to it (ipvsadm(8)). `gatewaying` (LVS/DR, default) leaves packets unchanged and
   * needs the VIP on the real server. `masquerading` (LVS/NAT) rewrites them and needs the way back through
   * the director.
   */
  forwarding?: "gatewaying" | "masquerading" | undefined;
  /**
   * Drain before a deletion, and when the weight becomes 0: stop new clients and wait until open connections
   * have ended. Default `null`: the server goes at once, and its connections with it.
   */
  drain?: Drain | null | undefined;
}

/** A server of a pool: all fields of a RealServer but its identity. */
export type PoolServer = Omit<RealServerArgs, "service" | "address" | "port">;

/** @internal */
export const key = z.strictObject({ service: serviceReference, address: hostAddress, port: portOrAny });

// As in ipvsadm(8). ipvsadm 1.31 accepts more, but other versions may not.
const number = z.number().int().min(0).max(65535);

/** @internal */
export const share = z.strictObject({
  weight: number.default(1),
  upperThreshold: number.default(0),
  lowerThreshold: number.default(0),
} satisfies Record<keyof typeof serverNumbers, z.ZodType<number>>);

/** @internal */
export const config = z.strictObject({
  forwarding: z.enum(["gatewaying", "masquerading"]).default("gatewaying"),
  ...share.shape,
  drain,
});

type Config = z.output<typeof config>;

const numbers = Object.entries(serverNumbers) as [keyof RealServerShare, string][];

const flagsOf = (config: Config) => [
  // One that another program has made may be a tunnel, and is restored as that.
  { gatewaying: "-g", masquerading: "-m", tunneling: "-i" }[config.forwarding as string] as string,
  // ipvsadm takes a missing weight for 1, and any other missing number for 0.
  ...numbers.flatMap(([name, flag]) =>
    name !== "weight" && config[name] === 0 ? [] : [flag, String(config[name])],
  ),
];

const configOf = (flags: Flags, want: Config | undefined): Config => ({
  // A server that was changed to tunneling shows as that, so the difference is seen and corrected.
  forwarding: flags.has("-m") ? "masquerading" : flags.has("-i") ? ("tunneling" as never) : "gatewaying",
  ...(Object.fromEntries(numbers.map(([name, flag]) => [name, Number(flags.get(flag) ?? 0)])) as z.output<
    typeof share
  >),
  // The host does not show it.
  drain: want?.drain ?? null,
});

const targetOf = ({ service, address, port }: z.output<typeof key>) => [
  ...serviceFlags(serviceNamed(service)),
  ...["-r", endpoint(address, port)],
];

const idOf = ({ service, address, port }: z.output<typeof key>) => `${service}/${endpoint(address, port)}`;

// The kernel answers "Numerical result out of range".
const thresholdProblems = ({ upperThreshold, lowerThreshold }: Config) =>
  lowerThreshold > upperThreshold
    ? [
        {
          path: "lowerThreshold",
          reason: `${lowerThreshold} is above upperThreshold, which is ${upperThreshold}`,
        },
      ]
    : [];

/** Returns the config in the record of a server, or undefined without a record. `want` has what no host shows. @internal */
export function recordedConfig(facts: Facts, id: string, want?: Config): Config | undefined {
  const record = facts.ledger().of(`RealServer ${id}`)[0];
  if (!record) return undefined;
  // An older version kept one text of shell.
  const [text = "", ...flagged] = record.words;
  const words = flagged.length > 0 ? flagged : text.replaceAll("'", "").split(" ");
  const flags = ["-m", "-g", "-i", ...Object.values(serverNumbers)].filter((flag) => words.includes(flag));
  return configOf(new Map(flags.map((flag) => [flag, words[words.indexOf(flag) + 1] ?? ""])), want);
}

/**
 * Returns the declared config, from the record, of a server that a health monitor keeps out or adds in part.
 * Until the server is up, the entry belongs to the monitor.
 */
function monitored(facts: Facts, of: z.output<typeof key>, want: Config | undefined): Config | undefined {
  const server = endpoint(of.address, of.port);
  if ((facts.health().get(of.service)?.get(server) ?? "up") === "up") return undefined;
  return recordedConfig(facts, idOf(of), want);
}

/** A real server. `ipvsadm -Sn` and `-Ln --thresholds` show it, `-a`, `-e` and `-d` change it. @internal */
export const realServer = define({
  kind: "RealServer",
  key,
  config,
  rank: ranks.server,
  conflicts: () => true,
  around: draining,
  computed: drainOutputs,

  validate({ service: text, address, port }, config) {
    const service = serviceNamed(text);
    const wrong = [...thresholdProblems(config), ...drainProblems(config)];
    if (wrong.length > 0) return wrong;
    if (serviceFamily(service) !== familyOf(address)) {
      return [
        {
          path: "address",
          reason: `${address} is not of the service's address family, which only tunneling allows`,
        },
      ];
    }
    // A firewall mark has no port, so each server has its own.
    if ("fwmark" in service) return [];
    // The kernel would rewrite the port without an error, and the entry would never be found again.
    if (config.forwarding === "gatewaying" && port !== service.port) {
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

  id: idOf,

  facts: () => ["table", "health", "ledger"],

  read(facts, key, want) {
    const kept = monitored(facts, key, want);
    if (kept) return kept;
    const found = facts.ipvs().get(key.service)?.realServers.get(endpoint(key.address, key.port));
    const { upper, lower } = facts.thresholds().get(idOf(key)) ?? noThresholds;
    return found && configOf(new Map([...found, ["-x", String(upper)], ["-y", String(lower)]]), want);
  },

  record: (key, config) => ["server", ...targetOf(key), ...flagsOf(config)],

  plan({ service, address, port }, want, have, { facts }) {
    // The record has the declared config. The monitor applies it once the server is well.
    if (want && have && monitored(facts, { service, address, port }, want)) return [];
    if (!want && !facts.ipvs().get(service)?.realServers.has(endpoint(address, port))) return [];
    const target = targetOf({ service, address, port });
    // -e resets options that are left out, so each line has the whole config.
    const line = (to: Config | undefined, from: Config | undefined) =>
      to ? ["ipvsadm", from ? "-e" : "-a", ...target, ...flagsOf(to)] : ["ipvsadm", "-d", ...target];
    const [run, undo] = [line(want, have), line(have, want)];
    const turns = want && have && (want.forwarding === "gatewaying") !== (have.forwarding === "gatewaying");
    if (!turns) return [step(run, undo, "entry")];
    return [step(changeForwarding(address, port, run), changeForwarding(address, port, undo))];
  },
});
