import { z } from "zod";
import { shownLine } from "../shell/shown-command.js";
import { ipAddress } from "../values/address.js";
import { isPlain } from "../values/foreign.js";
import { show } from "../values/problem.js";
import { fact, factOf } from "./fact.js";

// Readers of the output of `ip -j`.

/**
 * Returns the schema of a list. Old versions of ip print an empty map for each entry that they leave out. The
 * reading ends at the first wrong entry: zod's own list keeps a note of each, and a hostile host can send
 * millions.
 */
export const listOf = <Entry extends z.ZodType>(entry: Entry) =>
  z.array(z.unknown()).transform((given, context): z.output<Entry>[] => {
    const list: z.output<Entry>[] = [];
    for (const one of given) {
      if (isEmptyMap(one)) continue;
      const parsed = entry.safeParse(one);
      if (!parsed.success) {
        context.issues.push({ code: "custom", input: one, message: "is not of the expected form" });
        return z.NEVER;
      }
      list.push(parsed.data);
    }
    return list;
  });

const isEmptyMap = (one: unknown): boolean =>
  typeof one === "object" && one !== null && !Array.isArray(one) && Object.keys(one).length === 0;

// Interface names may have almost any byte, and they go into state and previews.
const printable = z.string().refine(isPlain);

// C libraries differ in how they print IPv6.
const addressEntry = z.object({
  family: z.enum(["inet", "inet6"]),
  local: ipAddress,
  prefixlen: z.number().int().min(0).max(128),
  broadcast: ipAddress.optional(),
  label: printable.optional(),
  deprecated: z.boolean().optional(),
  dadfailed: z.boolean().optional(),
});

/** An interface with its addresses. */
export const link = z.object({
  ifname: printable,
  altnames: z.array(printable).default([]),
  flags: z.array(printable).default([]),
  // Other families have addresses of other forms.
  addr_info: listOf(z.union([addressEntry, z.object({ family: z.string().regex(/^(?!inet)/) })])).default([]),
});

/** A route of any table. */
export const routeEntry = z.object({
  // ip prints a single address without its prefix.
  dst: z
    .string()
    .regex(/^(default|[^/]+(\/\d+)?)$/)
    .transform((text) => text.split("/"))
    .refine(([to]) => to === "default" || ipAddress.safeParse(to).success)
    .transform(([to, ...bits]) => [to === "default" ? to : ipAddress.parse(to), ...bits].join("/")),
  type: printable.optional(),
  dev: printable.optional(),
  gateway: ipAddress.optional(),
  prefsrc: ipAddress.optional(),
  metric: z.number().int().min(0).default(0),
});

export type AddressEntry = z.output<typeof addressEntry> & { interface: string };
export type Link = z.output<typeof link>;

/** Returns the interface that has this name, or this alternative name (ip-link(8), altname). */
export const linkNamed = (links: readonly Link[], name: string): Link | undefined =>
  links.find(({ ifname }) => ifname === name) ?? links.find(({ altnames }) => altnames.includes(name));
export type RouteEntry = z.output<typeof routeEntry>;

/** Returns a destination as ip prints it: a single address without its prefix, and the default route of IPv6 by name. */
export const printedDestination = (family: "4" | "6", destination: string): string =>
  destination === "::/0" ? "default" : destination.replace(family === "4" ? /\/32$/ : /\/128$/, "");

/** Returns the metric of a route that was added without one. */
export const defaultMetric = (family: "4" | "6"): number => (family === "4" ? 0 : 1024);

/** Returns the reader of a list in JSON. */
const json =
  <Entry extends z.ZodType>(entry: Entry) =>
  (body: string): z.output<Entry>[] => {
    try {
      return listOf(entry).parse(JSON.parse(body)) as z.output<Entry>[];
    } catch {
      throw new Error(`unexpected output ${show(body)}`);
    }
  };

/** Every interface, with its addresses. */
export const addresses = fact({
  name: "addresses",
  parse: json(link),
  shown: "`ip -j addr show`",
  nothing: "[]",
});

/** The routes of one family and table: `4:main`. */
export const routes = factOf({
  name: "routes",
  args: (of) => of.split(":"),
  parse: json(routeEntry),
  shown(of) {
    const [family = "4", table = "main"] = of.split(":");
    return shownLine(["ip", "-j", `-${family}`, "route", "show", "table", table]);
  },
  nothing: "[]",
});
