import { z } from "zod";
import { ipAddress, port } from "../values/address.js";

/** Returns the schema of a text that is one line of a file on the host. */
const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, "has a line break, a tab or an invalid character");

/** The check of a real server. */
export interface HealthCheck {
  /**
   * `http` (default) or `https` gets `path`. `tcp` connects. `dns` queries a name over TCP. `command` runs a
   * command that must end with 0; `$ADDRESS` and `$PORT` name the server.
   */
  type?: "http" | "https" | "tcp" | "dns" | "command" | undefined;
  /**
   * Port of the check, 1-65535. Default: the real server's port, or the service's if it has none, or 80
   * (https: 443).
   */
  port?: number | undefined;
  /** Path and query of the page, from `/` on, at most 1000 characters. Default `/.health.html`. */
  path?: string | undefined;
  /**
   * Text that the page must contain, at most 1000 characters. "" accepts any page. A page above 1 MB fails.
   * Default `OK`.
   */
  body?: string | undefined;
  /** Accepted status codes, 100-599. Default: 200 only. */
  status?: number[] | undefined;
  /** Name of the site, such as `www.example.com` (Host header and TLS server name). Default: the address. */
  host?: string | undefined;
  /** Whether the certificate of `https` must be valid for `host`. Default false. */
  verify?: boolean | undefined;
  /** Name that a `dns` check queries. Any answer but an error counts. Default: none, but required for `dns`. */
  query?: string | undefined;
  /**
   * Command that a `command` check runs with sh, at most 2000 characters. `ADDRESS` and `PORT` are in its
   * environment. Default: none, but required for `command`.
   */
  command?: string | undefined;
  /**
   * `rip` (default) checks the real server's own address. `vip` checks the VIP on the real server, so a
   * server without its VIP counts as down. For gatewaying only.
   */
  through?: "rip" | "vip" | undefined;
  /**
   * The VIP for `through: "vip"`, required if the service is a firewall mark. Default: the service's address.
   */
  vip?: string | undefined;
}

/** The types of checks that have a field. Without an entry all have it. */
const only = z.registry<{ types: readonly string[]; required?: true }>();
const web = { types: ["http", "https"] };

/** Schema of a check, and of the override for a single server. @internal */
export const healthCheck = z.strictObject({
  type: z.enum(["http", "https", "tcp", "dns", "command"]).optional(),
  port: port.optional(),
  path: line(1000)
    .regex(/^\/\S*$/, "does not begin with /, or has a blank")
    .optional()
    .register(only, web),
  body: z
    .union([z.literal(""), line(1000)])
    .optional()
    .register(only, web),
  status: z.array(z.number().int().min(100).max(599)).min(1).optional().register(only, web),
  host: line(253)
    .regex(/^[A-Za-z0-9._-]+$/, "is not a host name")
    .optional()
    .register(only, web),
  verify: z
    .boolean()
    .optional()
    .register(only, { types: ["https"] }),
  query: line(200)
    .regex(/^([A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?$/, "is not a name")
    .optional()
    .register(only, { types: ["dns"], required: true }),
  command: line(2000)
    .optional()
    .register(only, { types: ["command"], required: true }),
  through: z.enum(["rip", "vip"]).optional(),
  vip: ipAddress.optional(),
});

/** @internal */
export type Check = z.output<typeof healthCheck>;

/** Returns the check that applies without any fields. @internal */
export const checkDefaults = (type: Check["type"] = "http"): Check =>
  type === "http" || type === "https"
    ? {
        type,
        path: "/.health.html",
        body: "OK",
        status: [200],
        ...(type === "https" ? { verify: false } : {}),
      }
    : { type };

/** Returns the reasons why a check is invalid, each with its field. @internal */
export function checkProblems(check: Check): { path: keyof Check; reason: string }[] {
  const type = check.type ?? "http";
  const isFor = (name: keyof Check) => only.get(healthCheck.shape[name])?.types.includes(type) ?? true;
  const isRequired = (name: keyof Check) =>
    isFor(name) && only.get(healthCheck.shape[name])?.required === true;
  const names = Object.keys(healthCheck.shape) as (keyof Check)[];
  return [
    ...(Object.keys(check) as (keyof Check)[])
      .filter((name) => !isFor(name))
      .map((path) => ({ path, reason: `is not for checks of type ${type}` })),
    ...names
      .filter((name) => isRequired(name) && check[name] === undefined)
      .map((path) => ({ path, reason: "is missing" })),
    ...(check.vip !== undefined && check.through !== "vip"
      ? [{ path: "vip" as const, reason: 'goes with through: "vip" only' }]
      : []),
    ...(check.through === "vip" && type === "command"
      ? [
          {
            path: "through" as const,
            reason: "a command goes its own way; vip is for http, https, tcp and dns",
          },
        ]
      : []),
  ];
}

/** The configuration of a monitor, as its file on the director has it. */
export interface Monitor {
  readonly check: HealthCheck;
  readonly servers: Readonly<Record<string, HealthCheck>>;
  readonly interval: number;
  readonly connectTimeout: number;
  readonly timeout: number;
  readonly rise: number;
  readonly fall: number;
  readonly action: "remove" | "quiesce";
  readonly lastServer: "keep" | "remove";
  readonly sorryServer: {
    readonly address: string;
    readonly port: number;
    readonly forwarding: "gatewaying" | "masquerading";
    readonly weight: number;
  } | null;
  readonly quorum: { readonly weight: number; readonly hysteresis: number };
  readonly slowStart: number;
  readonly announce: { readonly address: string; readonly table: number; readonly weight: number } | null;
  readonly log: string | null;
}

/** The first line of a file. @internal */
export const head =
  "# Written by pulumi-lvs for its health monitor; what is changed here by hand shows as a difference.";

const numbers = [
  ["interval", "interval"],
  ["connectTimeout", "connect"],
  ["timeout", "timeout"],
  ["rise", "rise"],
  ["fall", "fall"],
  ["slowStart", "slow"],
] as const;

const shape: Readonly<Record<string, z.ZodType | undefined>> = healthCheck.shape;

const textOf = (value: Check[keyof Check]): string =>
  typeof value === "boolean"
    ? value
      ? "yes"
      : "no"
    : Array.isArray(value)
      ? value.join(",")
      : String(value);

const checkLines = (server: string, check: Check): string[][] =>
  (Object.keys(check) as (keyof Check)[]).sort().map((name) => ["check", server, name, textOf(check[name])]);

/**
 * Returns the file of a monitor. Tabs separate the words, and the first word of a line says what the line
 * sets.
 */
export function printMonitor(service: string, monitor: Monitor): string {
  const { sorryServer: sorry, quorum, announce } = monitor;
  const at = sorry && (sorry.address.includes(":") ? `[${sorry.address}]` : sorry.address);
  const lines = [
    ["service", service],
    ...numbers.map(([name, word]) => [word, String(monitor[name])]),
    ["action", monitor.action],
    ["last", monitor.lastServer],
    ["quorum", String(quorum.weight)],
    ["hysteresis", String(quorum.hysteresis)],
    ["log", monitor.log ?? ""],
    ...(sorry ? [["sorry", `${at}:${sorry.port}`, sorry.forwarding, String(sorry.weight)]] : []),
    ...(announce ? [["announce", announce.address, String(announce.table), String(announce.weight)]] : []),
    ...checkLines("*", monitor.check),
    ...Object.keys(monitor.servers)
      .sort()
      .flatMap((server) => [["check", server], ...checkLines(server, monitor.servers[server] as Check)]),
  ];
  return [head, ...lines.map((words) => words.join("\t"))].join("\n");
}

/** Parses a file of `printMonitor`. Returns undefined for any other text. */
export function parseMonitor(text: string): { service: string; monitor: Monitor } | undefined {
  const [first, ...rest] = text.split("\n");
  const found: Record<string, unknown> = {};
  const check: Record<string, unknown> = {};
  const servers: Record<string, Record<string, unknown>> = Object.create(null);
  let sorryServer: Monitor["sorryServer"] = null;
  let announce: Monitor["announce"] = null;
  for (const [word = "", ...words] of rest.map((line) => line.split("\t"))) {
    const [a = "", b = "", c = ""] = words;
    if (word === "check" && words.length === 1) servers[a] = {};
    else if (word === "check") {
      const of = a === "*" ? check : servers[a];
      if (of) of[b] = readValue(b, c);
    } else if (word === "sorry") {
      const [, address = "", port = ""] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(a) ?? [];
      sorryServer = { address, port: Number(port), forwarding: b as "gatewaying", weight: Number(c) };
    } else if (word === "announce") announce = { address: a, table: Number(b), weight: Number(c) };
    else found[word] = a;
  }
  const monitor = {
    check,
    servers: { ...servers },
    ...Object.fromEntries(numbers.map(([name, word]) => [name, Number(found[word])])),
    action: found.action,
    lastServer: found.last,
    sorryServer,
    quorum: { weight: Number(found.quorum), hysteresis: Number(found.hysteresis) },
    announce,
    log: found.log === "" ? null : found.log,
  } as unknown as Monitor;
  const service = String(found.service);
  return first === head && printMonitor(service, monitor) === text ? { service, monitor } : undefined;
}

/** Reads a value of a check: the one that the field's schema accepts. */
const readValue = (name: string, text: string): unknown =>
  [text, Number(text), text === "yes", text.split(",").map(Number)].find(
    (value) => shape[name]?.safeParse(value).success,
  ) ?? text;
