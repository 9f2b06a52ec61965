import type { z } from "zod";
import { quote } from "../shell/quote.js";
import { type Rival, rivals } from "../values/conflicts.js";
import { show } from "../values/problem.js";
import { parseSysctl, sysctlPath } from "../values/sysctl-name.js";
import { type Connections, parseConnections } from "./connections.js";
import {
  type DrainedServer,
  type DrainingServer,
  parseClock,
  parseDrained,
  parseDraining,
} from "./draining.js";
import { FactError } from "./fact-error.js";
import { type Health, type MonitorState, parseHealth, parseMonitorState } from "./health.js";
import { type AddressEntry, link, listOf, type RouteEntry, routeEntry } from "./ip-lists.js";
import {
  type Daemon,
  parseDaemons,
  parseThresholds,
  parseTimeouts,
  type ThresholdTable,
  type Timeouts,
} from "./ipvs-lists.js";
import { type IpvsTable, parseIpvsTable } from "./ipvs-table.js";
import { parseModule } from "./module.js";
import { type Declared, parseDeclared } from "./records.js";

/** What can be asked of a host, by name; the readers are functions of the script's prelude. */
export type FactName =
  | "ipvs"
  | "thresholds"
  | "timeouts"
  | "daemons"
  | "addresses"
  | "owners"
  | "declared"
  | "rivals"
  | "health"
  | `monitor:${string}`
  | "connections"
  | "draining"
  | "drained"
  | "clock"
  | `routes:${"4" | "6"}:${string}`
  | `sysctl:${string}`
  | `claim:${string}`
  | `module:${string}`;

/** A fact as it came: its standard output, or why it could not be read. */
export type Section = { readonly body: string } | { readonly code: number; readonly text: string };

/**
 * What is another at each look, although nobody changed anything: it has no part in the digest, or every plan would be stale.
 * So a plan must not follow from it; it is for jobs that only look, and for what a script read back.
 */
export const ticks = (name: FactName): boolean => name === "connections" || name === "clock";

/** The prelude function and its arguments that read a fact. */
export function factCommand(name: FactName): string {
  const [kind = "", ...rest] = name.split(":");
  if (kind === "sysctl") return `read_sysctl ${quote(sysctlPath(rest.join(":")))}`;
  if (kind === "monitor") return `read_monitor ${quote(rest.join(":"))}`;
  return [`read_${kind}`, ...rest.map(quote)].join(" ");
}

export { FactError };

/** What was read of a host in one go; parsed when asked for. Asking for what was not read is a mistake in the resource. */
export class Facts {
  readonly #sections: Pick<ReadonlyMap<FactName, Section>, "get">;
  readonly #parsed = new Map<FactName, unknown>();

  constructor(sections: Pick<ReadonlyMap<FactName, Section>, "get">) {
    this.#sections = sections;
  }

  /** Those of a host on which nothing is. */
  static nothing(): Facts {
    const blank = (name: FactName) =>
      name === "addresses" || name.startsWith("routes:") ? "[]" : name.startsWith("module:") ? "absent" : "";
    return new Facts({ get: (name) => ({ body: blank(name) }) });
  }

  #body(name: FactName): string {
    const section = this.#sections.get(name);
    if (!section) throw new Error(`the fact ${name} was not asked for`);
    if ("code" in section) throw new FactError(name, section.code, section.text);
    return section.body;
  }

  // many jobs look at one table
  #once<T>(name: FactName, parse: (body: string) => T): T {
    if (!this.#parsed.has(name)) this.#parsed.set(name, parse(this.#body(name)));
    return this.#parsed.get(name) as T;
  }

  #text<T>(name: FactName, parse: (body: string) => T): T {
    return this.#once(name, (body) => {
      try {
        return parse(body);
      } catch (error) {
        throw new FactError(name, 0, (error as Error).message);
      }
    });
  }

  #json<T>(name: FactName, schema: z.ZodType<T>): T {
    return this.#once(name, (body) => {
      try {
        return schema.parse(JSON.parse(body));
      } catch {
        throw new FactError(name, 0, `unexpected output ${show(body)}`);
      }
    });
  }

  /** The IPVS table; empty where the module is not loaded. */
  ipvs(): IpvsTable {
    return this.#text("ipvs", parseIpvsTable);
  }

  /** Thresholds of the real servers that have any. */
  thresholds(): ThresholdTable {
    return this.#text("thresholds", parseThresholds);
  }

  /** The director's timeouts; undefined where the module is not loaded. */
  timeouts(): Timeouts | undefined {
    return this.#text("timeouts", parseTimeouts);
  }

  /** Sync daemons that run. */
  daemons(): readonly Daemon[] {
    return this.#text("daemons", parseDaemons);
  }

  /** How the real servers are, as the director's health monitor sees them; of none where there is no monitor. */
  health(): Health {
    return this.#text("health", parseHealth);
  }

  /** The agent for health checks, and one monitor's file. */
  monitor(file: string): MonitorState {
    return this.#text(`monitor:${file}`, parseMonitorState);
  }

  /** Every address of every interface. */
  addresses(): AddressEntry[] {
    return this.#json("addresses", listOf(link)).flatMap(({ ifname, addr_info }) =>
      addr_info.flatMap((entry) => ("local" in entry ? [{ ...entry, interface: ifname }] : [])),
    );
  }

  /** Routes of one table (`main`, or a number) and family. */
  routes(family: "4" | "6", table: string): RouteEntry[] {
    return this.#json(`routes:${family}:${table}`, listOf(routeEntry));
  }

  /** A sysctl's value as the kernel prints it; undefined where the host has no such sysctl. */
  sysctl(name: string): string | undefined {
    return this.#text(`sysctl:${name}`, parseSysctl);
  }

  #lines(name: FactName): string[] {
    // what came byte by byte is UTF-8
    return Buffer.from(this.#body(name), "latin1").toString("utf8").split("\n").filter(Boolean);
  }

  /** Who wants a setting now, by the record that is kept of it on the host. */
  claims(record: string): string[] {
    return this.#lines(`claim:${record}`);
  }

  /** Whose the objects on the host are: a line each, `project/stack/name KIND ID`. */
  owners(): string[] {
    return this.#lines("owners");
  }

  /** What is declared there, and whether it would come back after a reboot. */
  declared(): Declared {
    return this.#text("declared", parseDeclared);
  }

  /** How many connections each real server has just now. */
  connections(): Connections {
    return this.#text("connections", parseConnections);
  }

  /** Real servers that are on their way out. */
  draining(): readonly DrainingServer[] {
    return this.#text("draining", parseDraining);
  }

  /** Real servers that went, the last one last. */
  drained(): readonly DrainedServer[] {
    return this.#once("drained", parseDrained);
  }

  /** Seconds since 1970, by the host's own clock. */
  clock(): number {
    return this.#text("clock", parseClock);
  }

  /** Programs that run there and take the IPVS table for their own. */
  rivals(): Rival[] {
    const lines = this.#lines("rivals") as Rival[];
    const other = lines.find((line) => !rivals.includes(line));
    if (other !== undefined) throw new FactError("rivals", 0, `unexpected output ${show(other)}`);
    return lines;
  }

  /** Parameters of a loaded (or built-in) module; undefined where it is not loaded. */
  module(name: string): ReadonlyMap<string, string> | undefined {
    return this.#text(`module:${name}`, parseModule);
  }
}
