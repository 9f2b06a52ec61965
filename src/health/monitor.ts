import type { z } from "zod";
import { type Check, type HealthCheck, healthCheck } from "../values/health-check.js";

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
