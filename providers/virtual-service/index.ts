import { z } from "zod";
import type { FactName, Facts } from "../../src/facts/facts.js";
import { noThresholds, thresholdFlags } from "../../src/facts/ipvs-table.js";
import { onFailure, type Step, step } from "../../src/host/step.js";
import { addressBits, type Family } from "../../src/values/address.js";
import { ranks } from "../../src/values/ranks.js";
import {
  printService,
  type ServiceAddress,
  serviceFamily,
  serviceFlags,
  serviceOf,
} from "../../src/values/service-address.js";
import { sysctlPath } from "../../src/values/sysctl-name.js";
import { type Definition, define } from "../engine/define.js";
import { drainedOf } from "../real-server/drain-fields.js";
import type { PoolServer } from "../real-server/index.js";
import { type Key, key, serviceProblems } from "./key.js";
import { flagProblems, inOrder, optionFlags, options, parseOptions, wordsOf } from "./options.js";
import { pooling } from "./pool.js";
import { partsOfPool, poolProblems, realServers } from "./pool-fields.js";
import { readPool } from "./pool-servers.js";
import type { schedulerFlags, schedulers } from "./schedulers.js";

/** Sends connections of one client to one real server (ipvsadm(8), --persistent). */
export interface Persistence {
  /** Seconds, 1-2678400 (31 days), to remember a client after its last connection has ended. Default 300. */
  timeout?: number | undefined;
  /** Leading address bits by which clients count as one, 1-32, or 1-128 for IPv6 (--netmask). Default: all bits. */
  netmask?: number | undefined;
}

/** Arguments of a VirtualService: either `address` and `port`, or `fwmark`. */
export interface VirtualServiceArgs {
  /** Protocol: `tcp` (default) or `udp` (ipvsadm(8), --tcp-service, --udp-service). A change replaces. */
  protocol?: "tcp" | "udp" | undefined;
  /** Virtual IP address (VIP), IPv4 or IPv6. Required without `fwmark`. A change replaces. Default: none. */
  address?: string | undefined;
  /** Port, 1-65535. 0, every port, needs `persistence`. Required without `fwmark`. A change replaces. Default: none. */
  port?: number | undefined;
  /** Firewall mark, 1-2147483647, instead (ipvsadm(8), --fwmark-service). A change replaces. Default: none. */
  fwmark?: number | undefined;
  /** Address family of a firewall-mark service: `ipv4` (default) or `ipv6`. A change replaces. */
  family?: Family | undefined;
  /** Scheduler that chooses a real server for a new connection (ipvsadm(8), --scheduler). Default `wlc`. */
  scheduler?: (typeof schedulers)[number] | undefined;
  /**
   * Flags of the schedulers `sh` and `mh` (ipvsadm(8), --sched-flags). Those with `port` hash the client's port, too. Those
   * with `fallback` choose another server for one of weight 0. Default `[]`.
   */
  schedulerFlags?: (typeof schedulerFlags)[number][] | undefined;
  /** Send a client to the same real server again (ipvsadm(8), --persistent). Default `null`: off. */
  persistence?: Persistence | null | undefined;
  /**
   * The whole pool of real servers by `address:port`, such as `192.168.10.11:80`, or `[2001:db8::11]:80`. The service
   * then owns them all, and removes others. `{}` is an empty pool. Default `null`: they are RealServer resources.
   */
  realServers?: { [server: string]: PoolServer } | null | undefined;
  /**
   * Whether servers with `drain` that are taken out of `realServers` stay at weight 0 until a PoolDrain removes them.
   * Default false.
   */
  drainLater?: boolean | undefined;
}

/** @internal */
export const config = z.strictObject({
  ...options.shape,
  realServers,
  drainLater: z.boolean().default(false),
});

type Config = z.output<typeof config>;

const flagsOf = (key: Key, config: Config): string[] => optionFlags(config, serviceFamily(serviceOf(key)));

/** Milliseconds between ICMP errors to one host (ip-sysctl). A client that gets none retries after 1 s. */
const refusals = (service: ServiceAddress): string =>
  serviceFamily(service) === "ipv4" ? "net.ipv4.icmp_ratelimit" : "net.ipv6.icmp.ratelimit";
const aDay = "86400000";

/**
 * Wraps a change of the scheduler. The kernel removes the old scheduler before it sets the new one
 * (ip_vs_edit_service). A client in between would be refused. If it is not, it tries again a second later.
 */
function unrefused(facts: Facts, service: ServiceAddress, change: Step): Step {
  const name = refusals(service);
  const found = facts.sysctl(name);
  if (found === undefined) return change;
  const { run, undo } = change;
  // The step has the old value, so it is restored even if the command fails.
  const around = ["with_file", `/proc/sys/${sysctlPath(name)}`, aDay, found];
  return step([...around, ...run], undo && [...around, ...undo]);
}

/** Returns an entry in the table, without its servers. */
function entryIn(facts: Facts, key: Key): Config | undefined {
  const service = serviceOf(key);
  const found = facts.ipvs().get(printService(service));
  return (
    found && { ...parseOptions(found.flags, serviceFamily(service)), realServers: null, drainLater: false }
  );
}

/** A virtual service. `ipvsadm -Sn` shows it, `-A`, `-E` and `-D` change it. @internal */
export const virtualService: Definition = define({
  kind: "VirtualService",
  key,
  config,
  rank: ranks.service,
  conflicts: () => true,
  // Below it are its servers, and `health`.
  contains: (key, facts) =>
    ["RealServer", "HealthMonitor"].flatMap((kind) =>
      facts.ledger().below(`${kind} ${printService(serviceOf(key))}`),
    ),
  parts: (key, { realServers }) => partsOfPool(printService(serviceOf(key)), realServers),
  around: (operation, make) => {
    const { verb, key, config } = operation;
    const service = serviceOf(key);
    const change = operation.changeOf(alone, { ...key, ...config, realServers: null, drainLater: false });
    const writes = verb === "create" || verb === "update";
    const facts: FactName[] = [
      ...change.facts,
      ...(writes ? ([`sysctl:${refusals(service)}`] as const) : []),
    ];
    return pooling(operation, { id: printService(service), change: { ...change, facts } }, make);
  },
  computed: {
    names: ["drained"],
    facts: () => ["drained"],
    read: (facts, key) => ({ drained: drainedOf(facts, printService(serviceOf(key))) }),
  },

  defaults(key, config) {
    if (key.fwmark === undefined) key.protocol ??= "tcp";
    else key.family ??= "ipv4";
    const { persistence, schedulerFlags } = config;
    if (persistence) persistence.netmask ??= addressBits(serviceFamily(serviceOf(key)));
    if (schedulerFlags) config.schedulerFlags = inOrder(schedulerFlags);
  },

  validate(key, config) {
    const wrong = [
      ...serviceProblems(key, config.persistence),
      ...flagProblems(config.scheduler, config.schedulerFlags),
    ];
    return wrong.length > 0 ? wrong : poolProblems(printService(serviceOf(key)), config.realServers);
  },

  id: (key) => printService(serviceOf(key)),

  facts: (_key, want) => ["table", ...(want ? (["health", "ledger"] as const) : [])],

  read(facts, key, want) {
    const found = entryIn(facts, key);
    // Without a program only the identity is known.
    return found && want
      ? {
          ...found,
          realServers: readPool(facts, printService(serviceOf(key)), want.realServers),
          // The host does not show it.
          drainLater: want.drainLater,
        }
      : found;
  },

  record: (key, config) => ["service", ...serviceFlags(serviceOf(key)), ...flagsOf(key, config)],

  plan(key, want, have, { facts }) {
    const target = serviceFlags(serviceOf(key));
    const line = (to: Config | undefined, from: Config | undefined) =>
      to ? ["ipvsadm", from ? "-E" : "-A", ...target, ...flagsOf(key, to)] : ["ipvsadm", "-D", ...target];
    // A deleted entry takes its servers along, including those of other owners. An undo restores them.
    const id = printService(serviceOf(key));
    const servers = want ? [] : [...(facts.ipvs().get(id)?.realServers ?? [])];
    const change = step(line(want, have), line(have, want), "entry");
    return [
      ...servers.map(([at, flags]) => {
        const thresholds = thresholdFlags(facts.thresholds().get(`${id}/${at}`) ?? noThresholds);
        return onFailure(["ipvsadm", ...wordsOf(flags), ...thresholds], "entry");
      }),
      want && have && want.scheduler !== have.scheduler ? unrefused(facts, serviceOf(key), change) : change,
    ];
  },
});

/** The same without its servers, which `around` adds. */
const alone: Definition = { ...virtualService, read: (facts, key) => entryIn(facts, key as Key) };
