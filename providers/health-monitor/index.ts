import { z } from "zod";
import type { ServerState } from "../../src/facts/health.js";
import { type Monitor, parseMonitor, printMonitor } from "../../src/health/monitor.js";
import { step } from "../../src/host/step.js";
import { agent } from "../../src/shell/agent.js";
import { type Check, checkDefaults, type HealthCheck, healthCheck } from "../../src/values/health-check.js";
import { mapOf } from "../../src/values/problem.js";
import { ranks } from "../../src/values/ranks.js";
import { serviceNamed, serviceReference } from "../../src/values/service-address.js";
import { define } from "../engine/define.js";
import { type Announce, announce } from "./announce.js";
import { type Quorum, type SorryServer, sorryInCluster, sorryServer } from "./sorry-server.js";
import { serverOf, validateMonitor } from "./validate.js";

/** Arguments of a HealthMonitor. */
export interface HealthMonitorArgs {
  /**
   * Virtual service whose real servers are checked: `web.id`, or text such as `tcp://192.168.0.219:80`. A
   * change replaces.
   */
  service: string;
  /**
   * The check of each server. Contains no secrets: every user of the director can see a command, and the address,
   * host and path of a check with a process of its own. Default: GET of `/.health.html`, which must contain `OK`.
   * Required for a UDP service.
   */
  check?: HealthCheck | undefined;
  /** Checks of single servers that differ, by `192.168.10.11:80` or `[2001:db8::1]:80`. Default: none. */
  servers?: Record<string, HealthCheck> | undefined;
  /** Seconds from one check of a server to the next, 1-3600. Default 5. */
  interval?: number | undefined;
  /** Seconds for a connection, with the handshake of https, 1-60. Default 1. */
  connectTimeout?: number | undefined;
  /** Seconds for a whole check, 1-60, at most `interval`. Default 3, or `interval` if that is less. */
  timeout?: number | undefined;
  /** Number of successful checks in a row that add a server, 1-100. Default 3. */
  rise?: number | undefined;
  /** Number of failed checks in a row that remove a server, 1-100. Default 3. */
  fall?: number | undefined;
  /** Action on a server that is down: `remove` (default) removes its entry, `quiesce` sets weight 0. */
  action?: "remove" | "quiesce" | undefined;
  /** Action on the last server when it goes down without a sorry server. `keep` (default) leaves it in. */
  lastServer?: "keep" | "remove" | undefined;
  /**
   * Server that is added before the last real server leaves, and removed after the first is back. Default
   * `null`: none.
   */
  sorryServer?: SorryServer | null | undefined;
  /**
   * Sum of the weights of servers that must be up. Below it the agent removes all servers, and the sorry server
   * serves. A `weight` above 1 needs a sorry server. The quorum is lost below `weight - hysteresis` and reached at
   * `weight + hysteresis`. Default 1 and 0.
   */
  quorum?: Quorum | undefined;
  /**
   * Seconds, 0-3600, in which the weight of a server that is back rises to the declared one, if that is above
   * 1. Default 0.
   */
  slowStart?: number | undefined;
  /**
   * Route that the director has while enough servers are up, for a routing daemon such as BIRD to export.
   * Default `null`: none.
   */
  announce?: Announce | null | undefined;
  /**
   * File with a line for each server that leaves or returns, in a folder where only root may write. null:
   * none. Default `/var/log/ipvsmonitor.log`.
   */
  log?: string | null | undefined;
  /**
   * Always `running`. If a refresh finds another state (`stopped`, `disabled`, `outdated`, `missing`), an
   * update corrects it.
   */
  agent?: "running" | undefined;
}

/** Outputs of a HealthMonitor besides its arguments. */
export interface HealthMonitorState {
  /** State of each server, by `192.168.10.11:80`. `sorry` is the sorry server while it answers. */
  health: Record<string, ServerState>;
  /** Why a server is in its state, by `192.168.10.11:80`: `status 404`. One that is simply `up` has no entry. */
  reasons: Record<string, string>;
}

const key = z.strictObject({ service: serviceReference });

const count = (most: number, least = 1) => z.number().int().min(least).max(most);

/** Configuration of a HealthMonitor besides its service. */
const config = z.strictObject({
  check: healthCheck.default({}),
  servers: mapOf(z.string(), healthCheck).default({}),
  interval: count(3600).default(5),
  connectTimeout: count(60).default(1),
  timeout: count(60).optional(),
  rise: count(100).default(3),
  fall: count(100).default(3),
  action: z.enum(["remove", "quiesce"]).default("remove"),
  lastServer: z.enum(["keep", "remove"]).default("keep"),
  sorryServer,
  quorum: z
    .strictObject({ weight: count(1_000_000).default(1), hysteresis: count(1_000_000, 0).default(0) })
    .default({ weight: 1, hysteresis: 0 }),
  slowStart: count(3600, 0).default(0),
  announce,
  log: z
    .string()
    .max(200)
    .regex(/^\/[A-Za-z0-9._/-]*[A-Za-z0-9]$/, "is not a path such as /var/log/ipvsmonitor.log")
    .nullable()
    .default("/var/log/ipvsmonitor.log"),
  agent: z.literal("running").default("running"),
});

/** Configuration of health checks in a service of a cluster. @internal */
export const healthConfig = config.omit({ agent: true }).extend({ sorryServer: sorryInCluster });

type Config = z.output<typeof config>;

/** Returns the name of the monitor's file on the host. */
const fileOf = (service: string): string => service.replace("://", "-").replaceAll("/", "-");

// Returns the check with the defaults of its type.
const filled = (check: Check): Check => ({ ...checkDefaults(check.type), ...check });

const monitorOf = ({ agent: _, ...monitor }: Config): Monitor => monitor as unknown as Monitor;
const textOf = (service: string, config: Config) => printMonitor(service, monitorOf(config));

/** Health checks of a service's real servers by an agent on the director, as its file shows. @internal */
export const healthMonitor = define({
  kind: "HealthMonitor",
  rank: ranks.monitor,
  key,
  config,
  conflicts: () => true,

  computed: {
    names: ["health", "reasons"],
    facts: () => ["health", "reasons"],
    read: (facts, { service }) => ({
      health: Object.fromEntries(facts.health().get(service) ?? []),
      reasons: Object.fromEntries(facts.reasons().get(service) ?? []),
    }),
  },

  defaults({ service }, config) {
    const of = serviceNamed(service);
    // In a preview some of them may be unknown.
    const { check, servers, interval, sorryServer, announce } = config as Partial<Config>;
    if (interval !== undefined) config.timeout ??= Math.min(3, interval);
    if (check) config.check = filled(check);
    if (servers)
      config.servers = Object.fromEntries(
        Object.entries(servers).map(([server, other]) => [
          serverOf(server) ?? server,
          check && other.type !== undefined && other.type !== config.check.type ? filled(other) : other,
        ]),
      );
    if (config.check?.status) config.check.status = [...new Set(config.check.status)].sort((a, b) => a - b);
    if (sorryServer && !("fwmark" in of)) sorryServer.port ??= of.port;
    if (announce && !("fwmark" in of)) announce.address ??= of.address;
  },

  validate: ({ service }, config) => validateMonitor(serviceNamed(service), config),

  id: ({ service }) => `${service}/health`,

  facts: ({ service }) => [`monitor:${fileOf(service)}`],

  read(facts, { service }, want) {
    const { agent, text } = facts.monitor(fileOf(service));
    if (text === undefined) return undefined;
    const found = parseMonitor(text);
    // A file that was edited by hand is a difference, and an update writes it anew.
    const monitor = (found?.monitor ?? { ...want, check: { type: "edited by hand" } }) as unknown as Config;
    return { ...monitor, agent: agent as "running" };
  },

  // The file survives a reboot by itself. The record only keeps its owner.
  record: () => ["monitor"],

  plan({ service }, want, have, { facts }) {
    const file = fileOf(service);
    const { agent: state, text } = facts.monitor(file);
    const there = state === "running" || state === "stopped" || state === "disabled";
    const put = (to: string): string[] => ["put_monitor", file, to];
    if (!want)
      return [
        step(["drop_monitor", file], put(text ?? "")),
        step(["drop_agent"], state === "missing" ? null : ["put_agent", agent]),
      ];
    const next = textOf(service, want);
    return [
      ...(state === "running" ? [] : [step(["put_agent", agent], there || have ? null : ["drop_agent"])]),
      ...(text === next ? [] : [step(put(next), text === undefined ? ["drop_monitor", file] : put(text))]),
    ];
  },
});
