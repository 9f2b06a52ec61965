import type { FindHost } from "../../providers/engine/runner.js";
import { factFailure, HostError } from "../../src/errors.js";
import { FactError, type FactName, type Facts } from "../../src/facts/facts.js";
import type { RouteEntry } from "../../src/facts/ip-lists.js";
import { readingJob } from "../../src/host/reading.js";
import type { Connection } from "../../src/ssh/connection.js";
import { plainText } from "../../src/values/foreign.js";
import { sysctlPath } from "../../src/values/sysctl-name.js";
import { DeclaredFacts } from "./declared-facts.js";
import type { DeclaredHost } from "./declared-host.js";
import { type PlannedHost, PlannedHosts, type Requested } from "./planner.js";

/** A sysctl that decides what a client hears of a server that is gone. */
export const expireNodest = "net.ipv4.vs.expire_nodest_conn";

/** A host could not be read. */
export class HostNotRead extends Error {}

/** The facts of a real host, with the changes that the plan has made in memory. */
class LiveFacts extends DeclaredFacts {
  readonly #host: DeclaredHost;
  readonly #read: Facts;

  constructor(host: DeclaredHost, read: Facts) {
    super(host);
    this.#host = host;
    this.#read = read;
  }

  override health() {
    return this.#read.health();
  }

  override links() {
    return this.#read.links();
  }

  override conflicts() {
    return this.#read.conflicts();
  }

  override drained() {
    return this.#read.drained();
  }

  /** The kernel adds and deletes local routes with the addresses. */
  override routes(family: "4" | "6", table: string): RouteEntry[] {
    if (table !== "local") return super.routes(family, table);
    const own = ({ addresses }: Pick<DeclaredHost, "addresses">) =>
      new Set(addresses.map(({ local }) => local).filter((one) => one.includes(":") === (family === "6")));
    const [before, now] = [own({ addresses: this.#read.addresses() }), own(this.#host)];
    const isGone = (address: string) => before.has(address) && !now.has(address);
    return [
      ...this.#read.routes(family, table).filter(({ dst }) => !isGone(dst)),
      ...[...now].filter((one) => !before.has(one)).map((dst) => ({ dst, type: "local", metric: 0 })),
    ];
  }
}

/** Gives a host in memory what a real one has of a fact. */
function put(host: DeclaredHost, facts: Facts, name: FactName): void {
  const [kind = "", ...rest] = name.split(":");
  const of = rest.join(":");
  const file = `/proc/sys/${sysctlPath(of)}`;
  switch (kind) {
    case "table":
      host.table.clear();
      for (const [id, { flags, realServers }] of facts.ipvs())
        host.table.set(id, { flags, realServers: new Map(realServers) });
      host.thresholds.clear();
      for (const [id, limits] of facts.thresholds()) host.thresholds.set(id, limits);
      break;
    case "timeouts":
      host.timeouts = facts.timeouts();
      break;
    case "daemons":
      host.daemons = [...facts.daemons()];
      break;
    case "addresses":
      host.addresses = facts.addresses();
      break;
    case "ledger":
      host.putRecords(facts.ledger().records);
      break;
    case "draining":
      host.draining = [...facts.draining()];
      break;
    case "routes":
      host.routes.set(of, facts.routes(rest[0] as "4" | "6", rest[1] as string));
      break;
    case "sysctl": {
      const value = facts.sysctl(of);
      if (value === undefined) host.files.delete(file);
      else host.files.set(file, value);
      break;
    }
    case "found":
      host.claims.set(of, facts.isFound(of) ? Math.max(1, host.claims.get(of) ?? 0) : 0);
      break;
    case "module":
      putModule(host, of, facts.module(of));
      break;
    case "monitor": {
      const { agent, text } = facts.monitor(of);
      host.agent = agent;
      if (text === undefined) host.monitors.delete(of);
      else host.monitors.set(of, text);
      break;
    }
    case "vrrp": {
      const instance = facts.vrrp(of);
      if (instance) host.vrrp.set(of, instance);
      else host.vrrp.delete(of);
      break;
    }
    // Read at once, so that an error shows here.
    case "health":
      facts.health();
      break;
    case "conflicts":
      facts.conflicts();
      break;
  }
}

function putModule(host: DeclaredHost, name: string, loaded: ReadonlyMap<string, string> | undefined): void {
  if (!loaded) {
    host.modules.delete(name);
    return;
  }
  host.modules.set(name, loaded);
  for (const [option, value] of loaded) host.files.set(`/sys/module/${name}/parameters/${option}`, value);
}

/** Returns the facts that show what a change means for connections, and where the host's addresses are. */
function alongWith(names: ReadonlySet<FactName>): FactName[] {
  const more: FactName[] = names.has("table") ? ["connections", `sysctl:${expireNodest}`] : [];
  const ways = [...names].some((name) => name.startsWith("routes:"));
  return [...more, ...(ways ? (["addresses"] as const) : [])];
}

/** The hosts of a plan, as they are. Each is read once, and nothing is changed there. */
export class LiveHosts extends PlannedHosts {
  readonly #find: FindHost;
  readonly #read = new Map<string, { facts: Facts; names: ReadonlySet<FactName> }>();
  readonly #first: ReadonlyMap<string, Requested>;
  #isDeclared = false;
  /** Servers whose connections a change before has ended: `HOST SERVICE SERVER`. */
  readonly ended = new Set<string>();

  /** `first` are the facts that a plan without the hosts needs. They are read at once. */
  constructor(find: FindHost, first: ReadonlyMap<string, Requested>) {
    super();
    this.#find = find;
    this.#first = first;
  }

  override async declared(): Promise<void> {
    await super.declared();
    this.#isDeclared = true;
    await Promise.all(
      [...this.#first].map(([label, { connection, names }]) => this.#learn(connection, label, [...names])),
    );
  }

  override async answering(connection: Connection, label: string, names: readonly FactName[]) {
    const at = await super.answering(connection, label, names);
    if (!this.#isDeclared) return at;
    await this.#learn(connection, label, names);
    return this.at(label);
  }

  /** Returns what the host had before the plan, or undefined if it was not read. */
  factsOf(label: string): Facts | undefined {
    return this.#read.get(label)?.facts;
  }

  async #learn(connection: Connection, label: string, names: readonly FactName[]): Promise<void> {
    const known = this.#read.get(label)?.names ?? new Set<FactName>();
    if (names.every((name) => known.has(name))) return;
    const all = new Set([...known, ...names]);
    for (const name of alongWith(all)) all.add(name);
    const read = async () => this.#find(connection, label).submit(readingJob("plan", [...all]));
    const { facts } = await read().catch((error: unknown) => {
      throw error instanceof HostError ? new HostNotRead(error.of("cannot plan")) : error;
    });
    this.#read.set(label, { facts, names: all });
    const at = this.at(label);
    const unread = new Map(at.unread);
    for (const name of all) {
      if (known.has(name)) continue;
      try {
        put(at.host, facts, name);
      } catch (error) {
        if (!(error instanceof FactError)) throw error;
        unread.set(name, plainText(factFailure(label, error).message));
      }
    }
    const live: PlannedHost = { host: at.host, facts: new LiveFacts(at.host, facts), unread };
    this.hosts.set(label, live);
  }
}
