import type { z } from "zod";
import { quote } from "../shell/quote.js";
import { type Conflict, conflicts } from "../values/conflicts.js";
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
import { type AddressEntry, type Link, link, listOf, type RouteEntry, routeEntry } from "./ip-lists.js";
import {
  type Daemon,
  parseDaemons,
  parseThresholds,
  parseTimeouts,
  type ThresholdTable,
  type Timeouts,
} from "./ipvs-lists.js";
import { type IpvsTable, parseIpvsTable } from "./ipvs-table.js";
import { type Ledger, parseLedger } from "./ledger.js";
import { parseModule } from "./module.js";

/** Names of the facts that a host can be asked for. Functions of the script's prelude read them. */
export type FactName =
  | "ipvs"
  | "thresholds"
  | "timeouts"
  | "daemons"
  | "addresses"
  | "ledger"
  | "conflicts"
  | "health"
  | `monitor:${string}`
  | "connections"
  | "draining"
  | "drained"
  | "clock"
  | `routes:${"4" | "6"}:${string}`
  | `sysctl:${string}`
  | `found:${string}`
  | `module:${string}`;

/** A fact as the host sent it: its standard output, or why it could not be read. */
export type Section = { readonly body: string } | { readonly code: number; readonly text: string };

/**
 * Returns whether a fact differs at each reading although nothing changed. It has no part in the digest, or
 * every plan would be stale. So no plan may depend on it: only reading jobs and read-backs use it.
 */
export const ticks = (name: FactName): boolean => name === "connections" || name === "clock";

/** Returns the prelude function that reads a fact, with its arguments. */
export function factCommand(name: FactName): string {
  const [kind = "", ...rest] = name.split(":");
  if (kind === "sysctl") return `read_sysctl ${quote(sysctlPath(rest.join(":")))}`;
  if (kind === "monitor") return `read_monitor ${quote(rest.join(":"))}`;
  return [`read_${kind}`, ...rest.map(quote)].join(" ");
}

export { FactError };

/**
 * The facts of one reading of a host, parsed at the first use. A resource may use only facts that were read.
 */
export class Facts {
  readonly #sections: Pick<ReadonlyMap<FactName, Section>, "get">;
  readonly #parsed = new Map<FactName, unknown>();

  constructor(sections: Pick<ReadonlyMap<FactName, Section>, "get">) {
    this.#sections = sections;
  }

  /** Returns the facts of a host that has nothing. */
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

  // Parsed once, because many jobs use one table.
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

  /** Returns the IPVS table. It is empty if the module is not loaded. */
  ipvs(): IpvsTable {
    return this.#text("ipvs", parseIpvsTable);
  }

  /** Returns the thresholds of the real servers that have any. */
  thresholds(): ThresholdTable {
    return this.#text("thresholds", parseThresholds);
  }

  /** Returns the director's timeouts, or undefined if the module is not loaded. */
  timeouts(): Timeouts | undefined {
    return this.#text("timeouts", parseTimeouts);
  }

  /** Returns the running sync daemons. */
  daemons(): readonly Daemon[] {
    return this.#text("daemons", parseDaemons);
  }

  /** Returns the states that the director's health monitor reports: none without a monitor. */
  health(): Health {
    return this.#text("health", parseHealth);
  }

  /** Returns the state of the health agent, and one monitor's file. */
  monitor(file: string): MonitorState {
    return this.#text(`monitor:${file}`, parseMonitorState);
  }

  /** Returns every interface. */
  links(): Link[] {
    return this.#json("addresses", listOf(link));
  }

  /** Returns every address of every interface. */
  addresses(): AddressEntry[] {
    return this.links().flatMap(({ ifname, addr_info }) =>
      addr_info.flatMap((entry) => ("local" in entry ? [{ ...entry, interface: ifname }] : [])),
    );
  }

  /** Returns the routes of one table (`main`, or a number) and family. */
  routes(family: "4" | "6", table: string): RouteEntry[] {
    return this.#json(`routes:${family}:${table}`, listOf(routeEntry));
  }

  /** Returns a sysctl's value as the kernel prints it, or undefined if the host has no such sysctl. */
  sysctl(name: string): string | undefined {
    return this.#text(`sysctl:${name}`, parseSysctl);
  }

  #lines(name: FactName): string[] {
    // The text came byte by byte and is UTF-8.
    return Buffer.from(this.#body(name), "latin1").toString("utf8").split("\n").filter(Boolean);
  }

  /** Returns whether the host has saved the value of a setting, by the name of its claim. */
  isFound(claim: string): boolean {
    return this.#body(`found:${claim}`) !== "";
  }

  /** Returns the records of what is declared, and whether they would be restored after a reboot. */
  ledger(): Ledger {
    return this.#text("ledger", parseLedger);
  }

  /** Returns the numbers of connections of each real server. */
  connections(): Connections {
    return this.#text("connections", parseConnections);
  }

  /** Returns the real servers that drain. */
  draining(): readonly DrainingServer[] {
    return this.#text("draining", parseDraining);
  }

  /** Returns the completed drains, the latest last. */
  drained(): readonly DrainedServer[] {
    return this.#once("drained", parseDrained);
  }

  /** Returns the seconds since 1970 by the host's clock. */
  clock(): number {
    return this.#text("clock", parseClock);
  }

  /** Returns the running programs that conflict over the IPVS table. */
  conflicts(): Conflict[] {
    const lines = this.#lines("conflicts") as Conflict[];
    const other = lines.find((line) => !conflicts.includes(line));
    if (other !== undefined) throw new FactError("conflicts", 0, `unexpected output ${show(other)}`);
    return lines;
  }

  /** Returns the parameters of a loaded or built-in module, or undefined if it is not loaded. */
  module(name: string): ReadonlyMap<string, string> | undefined {
    return this.#text(`module:${name}`, parseModule);
  }
}
