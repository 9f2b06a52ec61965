import { z } from "zod";
import type { Facts } from "../src/facts/facts.js";
import { defaultMetric, linkNamed, printedDestination, type RouteEntry } from "../src/facts/ip-lists.js";
import { step } from "../src/host/step.js";
import { destination, familyOf, hostAddress, interfaceName } from "../src/values/address.js";
import { ranks } from "../src/values/ranks.js";
import { define } from "./engine/define.js";
import { describeDifference } from "./engine/difference.js";
import type { Sharing } from "./engine/inputs.js";
import { missingInterface } from "./engine/missing-interface.js";

/** Arguments of a HostRoute. */
export interface HostRouteArgs extends Sharing {
  /**
   * Destination: an address, a network such as `10.0.0.0/8` without bits beyond its prefix, or `default`
   * (`::/0` for IPv6). A change replaces.
   */
  destination: string;
  /**
   * Routing table as text: `main`, also 254, or a number, 1-4294967295 (ip-route(8), table). A change replaces.
   * Default `main`.
   */
  table?: string | undefined;
  /**
   * Preference among routes to one destination, 0-4294967295, lower first (ip-route(8), metric). It is part of a
   * route's identity in the kernel. Default 0, for IPv6 1024. A change replaces.
   */
  metric?: number | undefined;
  /** Interface to send by, such as `eth1` (ip-route(8), dev). Required without `via`. Default `null`: the one that reaches `via`. */
  device?: string | null | undefined;
  /**
   * Address of the router to send to (ip-route(8), via). Required without `device`. Default `null`: the destination is on the link.
   */
  via?: string | null | undefined;
  /**
   * Preferred source address of the host's own packets (ip-route(8), src). Default `null`: the kernel's choice.
   */
  source?: string | null | undefined;
}

const maxTable = 2 ** 32 - 1;

/** @internal */
export const key = z.strictObject({
  destination,
  table: z
    .string()
    .regex(/^(main|[1-9]\d{0,9})$/, { error: 'is neither "main" nor a number', abort: true })
    .refine((table) => table === "main" || Number(table) <= maxTable, `is above ${maxTable}`)
    // Both are names of one table.
    .transform((table) => (table === "254" ? "main" : table))
    .default("main"),
  metric: z
    .number()
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .optional(),
});

/** @internal */
export const config = z.strictObject({
  device: interfaceName.nullable().default(null),
  via: hostAddress.nullable().default(null),
  source: hostAddress.nullable().default(null),
});

type Key = z.output<typeof key>;
type Config = z.output<typeof config>;

const familyFlag = ({ destination }: Key) => (familyOf(destination) === "ipv4" ? "4" : "6");

const kernelDestination = (key: Key) => printedDestination(familyFlag(key), key.destination);

// The kernel takes 0 and 1024 for no metric.
const metricOf = (key: Key) => key.metric || defaultMetric(familyFlag(key));

const wordsOf = (key: Key, { via, device, source }: Config): string[] => [
  key.destination,
  ...(via ? ["via", via] : []),
  ...(device ? ["dev", device] : []),
  ...(source ? ["src", source] : []),
  ...(metricOf(key) === defaultMetric(familyFlag(key)) ? [] : ["metric", String(key.metric)]),
  ...["table", key.table],
];

/** Returns the device of a route, by the alternative name under which it is declared (ip-link(8), altname). */
function deviceOf(facts: Facts, { dev }: RouteEntry, want: Config | undefined): string | null {
  if (dev === undefined || !want?.device || dev === want.device) return dev ?? null;
  return linkNamed(facts.links(), want.device)?.ifname === dev ? want.device : dev;
}

/** A route: `ip -j route` shows it, `ip route add`, `replace` and `del` change it. @internal */
export const hostRoute = define({
  kind: "HostRoute",
  key,
  config,
  shareable: true,
  rank: ranks.route,

  defaults(key) {
    key.metric = metricOf(key);
  },

  validate(key, { device, via, source }) {
    const family = familyOf(key.destination);
    const familyName = family === "ipv4" ? "IPv4" : "IPv6";
    const other = (["via", "source"] as const).filter((name) => {
      const address = { via, source }[name];
      return address !== null && familyOf(address) !== family;
    });
    return [
      ...other.map((path) => ({
        path,
        reason: `is not an ${familyName} address, which the destination ${key.destination} needs`,
      })),
      ...(device === null && via === null
        ? [{ path: "via", reason: "is missing (a route needs via, device or both)" }]
        : []),
    ];
  },

  id: (key) => {
    const table = key.table === "main" ? "" : ` table ${key.table}`;
    const metric = metricOf(key) === defaultMetric(familyFlag(key)) ? "" : ` metric ${key.metric}`;
    return `route/${key.destination}${table}${metric}`;
  },

  facts: (key, want) => [
    `routes:${familyFlag(key)}:${key.table}`,
    ...(want?.device ? (["addresses"] as const) : []),
  ],

  refuses(key, want, have, facts) {
    if (!have) return want.device ? missingInterface(facts, want.device) : undefined;
    // To take the host's own default route over would change where all its traffic goes, and a deletion removes it.
    return kernelDestination(key) === "default" && key.table === "main"
      ? {
          reason: `it exists already, with other settings: ${describeDifference(have, want)}`,
          remedy:
            "give this one another metric or table, or name networks; with adopt: true it replaces the host's own route, which a deletion then removes",
        }
      : undefined;
  },

  read(facts, key, want) {
    const found = facts
      .routes(familyFlag(key), key.table)
      .find((r: RouteEntry) => r.dst === kernelDestination(key) && r.metric === metricOf(key));
    if (!found) return undefined;
    return {
      // If only `via` is declared, the kernel has chosen the device.
      device: want && want.device === null && found.gateway ? null : deviceOf(facts, found, want),
      via: found.gateway ?? null,
      source: found.prefsrc ?? null,
    };
  },

  record: (key, config) => ["route", familyFlag(key), ...wordsOf(key, config)],

  plan(key, want, have) {
    const command = (verb: string, c: Config) => [
      ...["ip", `-${familyFlag(key)}`, "route", verb],
      ...wordsOf(key, c),
    ];
    // Without a metric IPv6 deletes the first match, and the kernel's own route (256) comes before this one.
    const isUnnamed = familyFlag(key) === "6" && metricOf(key) === defaultMetric("6");
    const remove = (c: Config) => [
      ...command("del", c),
      ...(isUnnamed ? ["metric", String(metricOf(key))] : []),
    ];
    if (!want) return have ? [step(remove(have), command("add", have))] : [];
    if (!have) return [step(command("add", want), remove(want))];
    return [step(command("replace", want), command("replace", have))];
  },
});
