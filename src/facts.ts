import { z } from "zod";
import { ipAddress } from "./address.js";
import { type Declared, parseDeclared } from "./declared.js";
import { type Health, type MonitorState, parseHealth, parseMonitorState } from "./health/status.js";
import { type IpvsTable, parseIpvsTable } from "./ipvs-table.js";
import { show } from "./problems.js";
import { quote } from "./quote.js";
import { type Rival, rivals } from "./rivals.js";
import { sysctlPath } from "./sysctl.js";

/** What can be asked of a host, by name; the readers are functions of the script's prelude. */
export type FactName =
  | "ipvs"
  | "addresses"
  | "owners"
  | "declared"
  | "rivals"
  | "health"
  | `monitor:${string}`
  | `routes:${"4" | "6"}:${string}`
  | `sysctl:${string}`
  | `claim:${string}`
  | `module:${string}`;

/** A fact as it came: its standard output, or why it could not be read. */
export type Section = { readonly body: string } | { readonly code: number; readonly text: string };

/** The prelude function and its arguments that read a fact. */
export function factCommand(name: FactName): string {
  const [kind = "", ...rest] = name.split(":");
  if (kind === "sysctl") return `read_sysctl ${quote(sysctlPath(rest.join(":")))}`;
  if (kind === "monitor") return `read_monitor ${quote(rest.join(":"))}`;
  return [`read_${kind}`, ...rest.map(quote)].join(" ");
}

/** A fact could not be read: what the host answered. */
export class FactError extends Error {
  constructor(
    readonly fact: FactName,
    readonly code: number,
    readonly text: string,
  ) {
    super(`cannot read ${fact}: ${text}`);
  }
}

// old versions of ip print an empty map for each entry that they leave out
const listOf = <Entry extends z.ZodType>(entry: Entry) =>
  z.preprocess(
    (given) => (Array.isArray(given) ? given.filter((one) => JSON.stringify(one) !== "{}") : given),
    z.array(entry),
  );

// C libraries differ in how they print IPv6
const addressEntry = z.object({
  family: z.enum(["inet", "inet6"]),
  local: ipAddress,
  prefixlen: z.number().int().min(0).max(128),
  broadcast: ipAddress.optional(),
  label: z.string().optional(),
});

const link = z.object({
  ifname: z.string(),
  // other families have addresses of other forms
  addr_info: listOf(z.union([addressEntry, z.object({ family: z.string().regex(/^(?!inet)/) })])).default([]),
});

const routeEntry = z.object({
  // a lone address comes without its prefix
  dst: z
    .string()
    .regex(/^(default|[^/]+(\/\d+)?)$/)
    .transform((text) => text.split("/"))
    .refine(([to]) => to === "default" || ipAddress.safeParse(to).success)
    .transform(([to, ...bits]) => [to === "default" ? to : ipAddress.parse(to), ...bits].join("/")),
  type: z.string().optional(),
  dev: z.string().optional(),
  gateway: ipAddress.optional(),
  prefsrc: ipAddress.optional(),
  metric: z.number().int().min(0).default(0),
});

export type AddressEntry = z.output<typeof addressEntry> & { interface: string };
export type RouteEntry = z.output<typeof routeEntry>;

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

  #json<T>(name: FactName, schema: z.ZodType<T>): T {
    return this.#once(name, (body) => {
      try {
        return schema.parse(JSON.parse(body));
      } catch {
        throw new FactError(name, 0, `unexpected output ${show(body)}`);
      }
    });
  }

  #parse<T>(name: FactName, parse: (body: string) => T): T {
    return this.#once(name, (body) => {
      try {
        return parse(body);
      } catch (error) {
        throw new FactError(name, 0, (error as Error).message);
      }
    });
  }

  /** The IPVS table; empty where the module is not loaded. */
  ipvs(): IpvsTable {
    return this.#parse("ipvs", parseIpvsTable);
  }

  /** How the real servers are, as the director's health monitor sees them; of none where there is no monitor. */
  health(): Health {
    return this.#parse("health", parseHealth);
  }

  /** The agent for health checks, and one monitor's file. */
  monitor(file: string): MonitorState {
    return this.#parse(`monitor:${file}`, parseMonitorState);
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
    const body = this.#body(`sysctl:${name}`);
    return body === "" ? undefined : body.replace(/\n$/, "");
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
    return this.#parse("declared", parseDeclared);
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
    const [state, ...lines] = this.#body(`module:${name}`).split("\n");
    if (state === "absent") return undefined;
    if (state !== "loaded") throw new FactError(`module:${name}`, 0, `unexpected output ${show(state)}`);
    return new Map(
      lines
        .filter(Boolean)
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
  }
}
