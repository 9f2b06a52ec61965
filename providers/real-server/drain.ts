import { BlockList } from "node:net";
import { z } from "zod";
import type { DrainedServer } from "../../src/facts/draining.js";
import type { Facts } from "../../src/facts/facts.js";
import { noThresholds, thresholdFlags } from "../../src/facts/ipvs-lists.js";
import type { Flags } from "../../src/facts/ipvs-table.js";
import { step } from "../../src/host/step.js";
import { endpoint, type Family } from "../../src/values/address.js";
import type { Problem } from "../../src/values/problem.js";
import { parseService, type ServiceAddress, serviceFamily } from "../../src/values/service-address.js";
import type { Definition } from "../engine/define.js";
import type { Drains } from "../engine/drains.js";

/** The limits of a real server's drain. */
export interface Drain {
  /** Seconds after which it goes even with open connections, 1-86400, not below `minimum`. Default 60. */
  timeout?: number;
  /**
   * Seconds that it stays quiesced even without connections, for those that are just beginning, 0-3600.
   * Default 2.
   */
  minimum?: number;
}

/** The result of a drain. */
export interface DrainOutcome {
  /** Duration of the drain in seconds. */
  seconds: number;
  /** Number of connections that were open at the end. */
  forced: number;
  /** Whether no connection was open. */
  clean: boolean;
}

/** Outputs of a RealServer. */
export interface RealServerOutputs {
  /** Result of the drain at weight 0. undefined if there was no drain. */
  drained: DrainOutcome | undefined;
}

/** Outputs of a VirtualService. */
export interface VirtualServiceOutputs {
  /** Results of the last ten drains of deleted real servers. */
  drained: (DrainOutcome & {
    /** The server, such as `192.168.10.11:80`. */
    server: string;
    /** Time of the end, in ISO 8601, UTC. */
    at: string;
  })[];
}

/** The schema of `drain`. @internal */
export const drain = z
  .strictObject({
    timeout: z.number().int().min(1).max(86400).default(60),
    minimum: z.number().int().min(0).max(3600).default(2),
  })
  .nullable()
  .default(null);

/** Returns mistakes that no single field shows. @internal */
export const drainProblems = (given: Pick<Config, "drain">): Problem[] => {
  const { timeout = 0, minimum = 0 } = given.drain ?? {};
  return minimum > timeout
    ? [{ path: "drain.minimum", reason: `${minimum} is above the timeout, which is ${timeout}` }]
    : [];
};

interface Key {
  readonly service: string;
  readonly address: string;
  readonly port: number;
}

interface Config {
  readonly weight: number;
  readonly drain?: z.output<typeof drain>;
}

const serviceOf = ({ service }: Key) => parseService(service) as ServiceAddress;

const serverOf = ({ address, port }: Key) => endpoint(address, port);

const entryOf = (facts: Facts, key: Key): Flags | undefined =>
  facts.ipvs().get(key.service)?.realServers.get(serverOf(key));

const expire = "net.ipv4.vs.expire_quiescent_template";

const digit = (family: Family) => (family === "ipv4" ? "4" : "6");

/**
 * Returns whether packets to the service reach the director's table. Its address must be the director's own.
 * A firewall mark may be on any packet.
 */
function isReached(facts: Facts, key: Key): boolean {
  const service = serviceOf(key);
  if ("fwmark" in service) return true;
  const family = serviceFamily(service);
  const own = new BlockList();
  for (const { type, dst } of facts.routes(digit(family), "local")) {
    const [network = "", bits] = dst.split("/");
    if (type === "local" && network !== "default")
      own.addSubnet(network, Number(bits ?? (family === "ipv4" ? 32 : 128)), family);
  }
  return own.check(service.address, family);
}

/**
 * Drains of real servers. Weight 0 stops new clients, and `ipvsadm -Ln --persistent-conn` shows the remaining
 * ones. @internal
 */
export const realServerDrains: Drains<Key, Config> = {
  patience: ({ drain }) => drain ?? undefined,

  isQuiesced: ({ weight }) => weight === 0,

  words: (key) => [key.service, serverOf(key)],

  facts: (key) => {
    const service = serviceOf(key);
    return [
      "ipvs",
      "thresholds",
      "connections",
      `sysctl:${expire}`,
      ...("fwmark" in service ? [] : [`routes:${digit(serviceFamily(service))}:local` as const]),
    ];
  },

  quiesce(facts, key) {
    const entry = entryOf(facts, key);
    if (!entry || !isReached(facts, key)) return undefined;
    if (entry.get("-w") === "0") return [];
    // -e resets options that are left out, so the step has all existing ones.
    const thresholds = facts.thresholds().get(`${key.service}/${serverOf(key)}`) ?? noThresholds;
    const limits = thresholdFlags(thresholds);
    const words = (weight: string) =>
      [...entry].flatMap(([flag, value]) => {
        if (flag === "-a") return ["-e"];
        return [flag, flag === "-w" ? weight : value].filter((word) => word !== "");
      });
    return [
      step(
        ["ipvsadm", ...words("0"), ...limits],
        ["ipvsadm", ...words(entry.get("-w") as string), ...limits],
      ),
    ];
  },

  count(facts, key) {
    const service = serviceOf(key);
    const found = facts.connections().get(key.service)?.get(serverOf(key));
    if (!found) return 0;
    const own = "protocol" in service && service.protocol === "udp" ? found.inactive : found.active;
    // A template brings its client back even to a quiesced server, unless expire_quiescent_template tells the
    // kernel to ignore it.
    const heeded = facts.ipvs().get(key.service)?.flags.has("-p") && facts.sysctl(expire) !== "1";
    return own + (heeded ? found.persistent : 0);
  },
};

const outcomeOf = ({ seconds, left }: DrainedServer): DrainOutcome => ({
  seconds,
  forced: left,
  clean: left === 0,
});

/** The computed output of a quiesced server: the result of its drain. @internal */
export const shownDrained: NonNullable<Definition<Key, Config>["shows"]> = {
  names: ["drained"],
  facts: () => ["ipvs", "drained"],
  read(facts, key) {
    if (entryOf(facts, key)?.get("-w") !== "0") return {};
    const last = facts
      .drained()
      .findLast((one) => one.service === key.service && one.server === serverOf(key));
    return last ? { drained: outcomeOf(last) } : {};
  },
};

/** Returns the results of drains of a service's servers, the latest last. @internal */
export const drainedOf = (facts: Facts, service: string): VirtualServiceOutputs["drained"] =>
  facts
    .drained()
    .filter((one) => one.service === service)
    .slice(-10)
    .map((one) => ({
      server: one.server,
      at: new Date(one.at * 1000).toISOString(),
      ...outcomeOf(one),
    }));
