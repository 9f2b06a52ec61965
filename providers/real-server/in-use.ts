import { BlockList } from "node:net";
import type { FactName, Facts } from "../../src/facts/facts.js";
import { type Flags, noThresholds, thresholdFlags } from "../../src/facts/ipvs-table.js";
import type { LedgerRecord } from "../../src/facts/ledger.js";
import { type Step, step } from "../../src/host/step.js";
import { endpoint, type Family } from "../../src/values/address.js";
import { serviceFamily, serviceNamed } from "../../src/values/service-address.js";

/** The identity of a real server. */
export interface Key {
  readonly service: string;
  readonly address: string;
  readonly port: number;
}

/** Returns a server as in the host's tables. */
export const serverOf = ({ address, port }: Key) => endpoint(address, port);

/** Returns a server's entry in the IPVS table. */
const entryOf = (facts: Facts, key: Key): Flags | undefined =>
  facts.ipvs().get(key.service)?.realServers.get(serverOf(key));

/** Returns whether a server gets no new clients: its weight is 0. */
export const isQuiesced = (facts: Facts, key: Key): boolean => entryOf(facts, key)?.get("-w") === "0";

const expire = "net.ipv4.vs.expire_quiescent_template";

const digit = (family: Family) => (family === "ipv4" ? "4" : "6");

/**
 * Returns whether packets to the service reach the director's table. Its address must be the director's own.
 * A firewall mark may be on any packet.
 */
export function isReached(facts: Facts, key: Key): boolean {
  const service = serviceNamed(key.service);
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

/** Returns the facts that `quiesce` and `count` need. */
export const useFacts = (key: Key): FactName[] => {
  const service = serviceNamed(key.service);
  return [
    "table",
    "connections",
    `sysctl:${expire}`,
    ...("fwmark" in service ? [] : [`routes:${digit(serviceFamily(service))}:local` as const]),
  ];
};

/** Returns whether another director sends its connections to this one, which may get them with the VIP. */
function isSynced(facts: Facts, { service }: Key): boolean {
  const named = serviceNamed(service);
  const isVrrpAddress = ({ words: [verb, ...addresses] }: LedgerRecord) =>
    verb === "vrrp" && !("fwmark" in named) && addresses.includes(named.address);
  return (
    facts.daemons().some(({ state }) => state === "backup") && facts.ledger().records.some(isVrrpAddress)
  );
}

/**
 * Returns steps that stop new clients, by weight 0. Returns undefined if the server is gone, or no client can
 * come any more. With `alsoSynced`, which needs the facts `daemons` and `ledger`, clients of another director may
 * come, too.
 */
export function quiesce(facts: Facts, key: Key, alsoSynced: boolean): readonly Step[] | undefined {
  const entry = entryOf(facts, key);
  if (!entry || !(isReached(facts, key) || (alsoSynced && isSynced(facts, key)))) return undefined;
  if (isQuiesced(facts, key)) return [];
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
      "entry",
    ),
  ];
}

/** Returns the number of connections that still use the server, as in `ipvsadm -Ln --persistent-conn`. */
export function count(facts: Facts, key: Key): number {
  const service = serviceNamed(key.service);
  const found = facts.connections().get(key.service)?.get(serverOf(key));
  if (!found) return 0;
  const own = "protocol" in service && service.protocol === "udp" ? found.inactive : found.active;
  // A template brings its client back even to a quiesced server, unless expire_quiescent_template makes the
  // kernel ignore it.
  const heeded = facts.ipvs().get(key.service)?.flags.has("-p") && facts.sysctl(expire) !== "1";
  return own + (heeded ? found.persistent : 0);
}
