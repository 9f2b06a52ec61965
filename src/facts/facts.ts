import { quote } from "../shell/quote.js";
import type { Running } from "../values/conflicts.js";
import { conflicts } from "./conflicts.js";
import { type Connections, connections } from "./connections.js";
import { clock, type DrainedServer, type DrainingServer, drained, draining } from "./draining.js";
import type { Fact } from "./fact.js";
import { type Health, health, type MonitorState, monitor, type Reasons, reasons } from "./health.js";
import { type AddressEntry, addresses, type Link, type RouteEntry, routes } from "./ip-lists.js";
import { type Daemon, daemons, type Timeouts, timeouts } from "./ipvs-lists.js";
import { type IpvsTable, type ThresholdTable, table } from "./ipvs-table.js";
import { type Ledger, ledger } from "./ledger.js";
import { module } from "./module.js";
import { found, sysctl } from "./sysctl.js";
import { type VrrpFile, vrrp } from "./vrrp.js";

/** The kinds of facts that can be read on a host. */
const single = {
  table,
  timeouts,
  daemons,
  addresses,
  ledger,
  conflicts,
  health,
  reasons,
  connections,
  draining,
  drained,
  clock,
};
const several = { monitor, vrrp, routes, sysctl, found, module };

/** Every kind of fact, by its name. @internal */
export const kinds: Readonly<Record<string, Fact<string, unknown>>> = { ...single, ...several };

/** The name of a fact: that of its kind, with what it is of. */
export type FactName = keyof typeof single | `${keyof typeof several}:${string}`;

/** A fact as the host sent it: its standard output, or why it could not be read. */
export type Section = { readonly body: string } | { readonly code: number; readonly text: string };

/** Returns the kind of a fact, and what it is of. */
function split(name: string): { kind: Fact<string, unknown> | undefined; word: string; of: string } {
  const [word = "", ...rest] = name.split(":");
  return { kind: Object.hasOwn(kinds, word) ? kinds[word] : undefined, word, of: rest.join(":") };
}

/**
 * Returns whether a fact differs at each reading although nothing changed. It has no part in the digest, or
 * every plan would be stale. So no plan may depend on it: only reading jobs and read-backs use it.
 */
export const ticks = (name: FactName): boolean => split(name).kind?.ticks === true;

/** The facts that come with each reading. */
export const inEachReading = Object.values(single)
  .filter((kind: Fact<string, unknown>) => kind.along)
  .map(({ name }) => name);

/** Returns the shell function that reads a fact, with its arguments. */
export function factCommand(name: FactName): string {
  const { kind, word, of } = split(name);
  return [`read_${word}`, ...(kind?.args?.(of) ?? []).map(quote)].join(" ");
}

/** Returns where a fact comes from, as people see it: the host's command or file. */
export function shownFact(name: FactName): string {
  const { kind, of } = split(name);
  return kind?.shown(of) ?? name;
}

/** A fact could not be read. Holds the host's answer. */
export class FactError extends Error {
  constructor(
    readonly fact: string,
    /** The host's command or file, as people see it. */
    readonly shown: string,
    readonly code: number,
    readonly text: string,
  ) {
    super(`cannot read ${fact}: ${text}`);
  }
}

// Many jobs, and the batches after an unchanged reading, use one table.
const parsed = new WeakMap<Section, unknown>();

/**
 * The facts of one reading of a host, parsed at the first use. A resource may use only facts that were read.
 */
export class Facts {
  readonly #sections: Pick<ReadonlyMap<FactName, Section>, "get">;

  constructor(sections: Pick<ReadonlyMap<FactName, Section>, "get">) {
    this.#sections = sections;
  }

  /** Returns the facts of a host that has nothing. */
  static nothing(): Facts {
    return new Facts({ get: (name) => ({ body: split(name).kind?.nothing ?? "" }) });
  }

  #read<Value>(kind: Fact<string, Value>, of?: string): Value {
    const name = (of === undefined ? kind.name : `${kind.name}:${of}`) as FactName;
    const section = this.#sections.get(name);
    if (section && parsed.has(section)) return parsed.get(section) as Value;
    if (!section) throw new Error(`cannot read the fact ${name}: it was not requested`);
    if ("code" in section) throw new FactError(name, shownFact(name), section.code, section.text);
    try {
      const value = kind.parse(section.body);
      parsed.set(section, value);
      return value;
    } catch (error) {
      throw new FactError(name, shownFact(name), 0, (error as Error).message);
    }
  }

  ipvs(): IpvsTable {
    return this.#read(table).ipvs;
  }

  thresholds(): ThresholdTable {
    return this.#read(table).thresholds;
  }

  timeouts(): Timeouts | undefined {
    return this.#read(timeouts);
  }

  daemons(): readonly Daemon[] {
    return this.#read(daemons);
  }

  health(): Health {
    return this.#read(health);
  }

  reasons(): Reasons {
    return this.#read(reasons);
  }

  monitor(file: string): MonitorState {
    return this.#read(monitor, file);
  }

  vrrp(name: string): VrrpFile {
    return this.#read(vrrp, name);
  }

  links(): Link[] {
    return this.#read(addresses);
  }

  /** Returns every address of every interface. */
  addresses(): AddressEntry[] {
    return this.links().flatMap(({ ifname, addr_info }) =>
      addr_info.flatMap((entry) => ("local" in entry ? [{ ...entry, interface: ifname }] : [])),
    );
  }

  /** Returns the routes of one table (`main`, or a number) and family. */
  routes(family: "4" | "6", table: string): RouteEntry[] {
    return this.#read(routes, `${family}:${table}`);
  }

  sysctl(name: string): string | undefined {
    return this.#read(sysctl, name);
  }

  isFound(claim: string): boolean {
    return this.#read(found, claim);
  }

  ledger(): Ledger {
    return this.#read(ledger);
  }

  connections(): Connections {
    return this.#read(connections);
  }

  draining(): readonly DrainingServer[] {
    return this.#read(draining);
  }

  drained(): readonly DrainedServer[] {
    return this.#read(drained);
  }

  clock(): number {
    return this.#read(clock);
  }

  conflicts(): Running[] {
    return this.#read(conflicts);
  }

  module(name: string): ReadonlyMap<string, string> | undefined {
    return this.#read(module, name);
  }
}
