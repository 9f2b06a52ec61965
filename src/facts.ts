import { z } from "zod";
import { type IpvsTable, parseIpvsTable } from "./ipvs-table.js";
import { quote } from "./quote.js";
import { sysctlPath } from "./sysctl.js";

/** What can be asked of a host, by name; the readers are functions of the script's prelude. */
export type FactName =
  | "ipvs"
  | "addresses"
  | "owners"
  | "rivals"
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

const addressEntry = z.object({
  ifname: z.string(),
  addr_info: z
    .array(
      z.object({
        family: z.string(),
        local: z.string().optional(),
        prefixlen: z.number().optional(),
        broadcast: z.string().optional(),
        label: z.string().optional(),
      }),
    )
    .default([]),
});

const routeEntry = z.object({
  dst: z.string(),
  type: z.string().optional(),
  dev: z.string().optional(),
  gateway: z.string().optional(),
  prefsrc: z.string().optional(),
  metric: z.number().default(0),
});

export type AddressEntry = z.output<typeof addressEntry>["addr_info"][number] & { interface: string };
export type RouteEntry = z.output<typeof routeEntry>;

/** What was read of a host in one go; parsed when asked for. Asking for what was not read is a mistake in the resource. */
export class Facts {
  readonly #sections: ReadonlyMap<FactName, Section>;

  constructor(sections: ReadonlyMap<FactName, Section>) {
    this.#sections = sections;
  }

  #body(name: FactName): string {
    const section = this.#sections.get(name);
    if (!section) throw new Error(`the fact ${name} was not asked for`);
    if ("code" in section) throw new FactError(name, section.code, section.text);
    return section.body;
  }

  #json<T>(name: FactName, schema: z.ZodType<T>): T {
    const body = this.#body(name);
    try {
      return schema.parse(JSON.parse(body));
    } catch {
      throw new FactError(name, 0, `unexpected output ${JSON.stringify(body.slice(0, 120))}`);
    }
  }

  /** The IPVS table; empty where the module is not loaded. */
  ipvs(): IpvsTable {
    const body = this.#body("ipvs");
    try {
      return parseIpvsTable(body);
    } catch (error) {
      throw new FactError("ipvs", 0, (error as Error).message);
    }
  }

  /** Every address of every interface. */
  addresses(): AddressEntry[] {
    return this.#json("addresses", z.array(addressEntry)).flatMap((link) =>
      link.addr_info.map((entry) => ({ ...entry, interface: link.ifname })),
    );
  }

  /** Routes of one table (`main`, or a number) and family. */
  routes(family: "4" | "6", table: string): RouteEntry[] {
    return this.#json(`routes:${family}:${table}`, z.array(routeEntry));
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

  /** Programs that run there and take the IPVS table for their own. */
  rivals(): string[] {
    return this.#lines("rivals");
  }

  /** Parameters of a loaded (or built-in) module; undefined where it is not loaded. */
  module(name: string): ReadonlyMap<string, string> | undefined {
    const [state, ...lines] = this.#body(`module:${name}`).split("\n");
    if (state !== "loaded") return undefined;
    return new Map(
      lines
        .filter(Boolean)
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
  }
}
