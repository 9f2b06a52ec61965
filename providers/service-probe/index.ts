import { z } from "zod";
import { HostError } from "../../src/errors.js";
import { Facts } from "../../src/facts/facts.js";
import { type Connection, connection } from "../../src/ssh/connection.js";
import { interfaceName, ipAddress } from "../../src/values/address.js";
import { mapOf, show } from "../../src/values/problem.js";
import { define } from "../engine/define.js";
import { isNewConfig } from "../engine/difference.js";
import { addressOf } from "./expected.js";
import { macText } from "./replies.js";
import { probeUntilRight } from "./rounds.js";

/** The real servers that must reply, and how replies name them. */
export interface ProbeSpread {
  /** Header that names the real server, such as `X-Served-By`. Default: the first line of the body. */
  header?: string | null | undefined;
  /** Number of different real servers that must reply, 1-1000. Default 1. */
  servers?: number | undefined;
  /** Least share of the replies from each real server, 0-1, by its name. Default: none. */
  shares?: Record<string, number> | null | undefined;
}

/** The only machine that may answer ARP requests for the VIP. */
export interface ProbeArp {
  /** Interface for the requests. Default: the one by which the host reaches the VIP. */
  interface?: string | null | undefined;
  /** MAC address that must answer. Default: any, or with `director` one of the director's. */
  mac?: string | null | undefined;
}

/** Arguments of a ServiceProbe. */
export interface ServiceProbeArgs {
  /**
   * Service to check: `http://192.168.0.219/`, `https://…`, or `tcp://192.168.0.219:25` for a connection
   * only. A change replaces.
   */
  url: string;
  /** Address of the service, the VIP, if the URL has a name. Default `null`: the host resolves the name. */
  address?: string | null | undefined;
  /** Number of requests, 1-1000, one after another. To a `tcp://` service: twenty at a time. Default 20. */
  requests?: number | undefined;
  /** Seconds for each request, 1-60. Default 3. */
  timeout?: number | undefined;
  /** Number of requests that may fail, 0-1000. Default 0. */
  failures?: number | undefined;
  /** Seconds, 0-600, to repeat a failed check, from the end of the first one. Default 10. */
  within?: number | undefined;
  /** Accepted status code or codes, 100-599. HTTP. Default 200. */
  status?: null | number | number[] | undefined;
  /** Text that the body must contain, at most 1000 characters. HTTP. A body above 1 MB fails. Default `null`: any. */
  contains?: string | null | undefined;
  /** Real servers that must reply. HTTP. Default `null`: any. */
  spread?: ProbeSpread | null | undefined;
  /** Whether exactly one machine may answer ARP for the VIP. IPv4, from its network. Default false. */
  arp?: boolean | ProbeArp | null | undefined;
  /**
   * Connection to the director, which then shows where unanswered connections end: see Connection. Default
   * `null`: none.
   */
  director?: Connection | null | undefined;
  /** Whether any certificate is accepted. HTTPS. Default false. */
  insecure?: boolean | undefined;
  /** Any value. A change of it runs the check again. Default: none, so only a change of the probe does. */
  triggers?: unknown;
}

const url = z
  .string()
  .max(500)
  .refine((text) => parsed(text) !== undefined, {
    error: ({ input }) =>
      `${show(input)} is not a URL such as http://192.168.0.219/ or tcp://192.168.0.219:25`,
    abort: true,
  })
  .refine((text) => !parsed(text)?.username && !parsed(text)?.password, {
    error: "has a password, which every user of the host can see",
  })
  .transform((text) => parsed(text)?.href as string);

function parsed(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const at = new URL(text);
  if (!/^[\w.:[\]-]+$/.test(at.hostname)) return undefined;
  if (at.protocol === "tcp:") return at.port && /^tcp:\/\/[^/?#]+$/.test(at.href) ? at : undefined;
  return ["http:", "https:"].includes(at.protocol) ? at : undefined;
}

const count = (least: number, most: number) => z.number().int().min(least).max(most);

/** Status codes as they are given: one, or some. @internal */
export const statusCodes = z.union([count(100, 599), z.array(count(100, 599)).min(1).max(100)]);

const headerName = z.string().regex(/^[A-Za-z0-9-]{1,100}$/, "is not the name of a header");
const mac = z
  .string()
  .regex(/^[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}$/, "is not a MAC address such as 52:54:00:12:34:56")
  .transform(macText);
// One line, and no longer than a command line may be.
const text = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, "has a line break or an invalid character");

/** @internal */
export const spread = z.strictObject({
  header: headerName.nullable().default(null),
  servers: count(1, 1000).default(1),
  shares: mapOf(text, z.number().min(0).max(1)).nullable().default(null),
});

const arp = z.strictObject({
  interface: interfaceName.nullable().default(null),
  mac: mac.nullable().default(null),
});

const key = z.strictObject({ url });

/** @internal */
export const config = z.strictObject({
  address: ipAddress.nullable().default(null),
  requests: count(1, 1000).default(20),
  timeout: count(1, 60).default(3),
  failures: count(0, 1000).default(0),
  within: count(0, 600).default(10),
  status: statusCodes
    .transform((codes) => [codes].flat())
    .nullable()
    .default(null),
  contains: text.nullable().default(null),
  spread: spread.nullable().default(null),
  arp: z
    .union([z.boolean().transform((on) => (on ? { interface: null, mac: null } : null)), arp])
    .nullable()
    .default(null),
  director: connection.nullable().default(null),
  insecure: z.boolean().default(false),
  triggers: z.unknown().default(null),
});

const idOf = ({ url }: z.output<typeof key>) => `probe/${url}`;

/** A probe that a host sends to a service. It consists of the expected result only. @internal */
export const serviceProbe = define({
  kind: "ServiceProbe",
  onlyQueries: true,
  key,
  config,

  validate({ url }, { address, status, contains, spread, arp, director, requests }) {
    const at = addressOf({ url, address });
    const web = Object.entries({ status, contains, spread }).filter(([, value]) => value !== null);
    return [
      ...(url.startsWith("tcp:") ? web.map(([path]) => ({ path, reason: "is for http and https" })) : []),
      ...((arp || director) && at === undefined
        ? [{ path: "address", reason: "is needed for arp and director, because the url has a name" }]
        : []),
      ...(arp && at?.includes(":") ? [{ path: "arp", reason: "is for IPv4 only" }] : []),
      ...(spread && spread.servers > requests
        ? [{ path: "spread.servers", reason: `${spread.servers} is above the ${requests} requests` }]
        : []),
    ];
  },

  id: idOf,
  facts: () => [],
  read: (_facts, _key, want) => want,
  plan: () => [],

  // Create and a change of the config run it, and a wrong answer fails the update.
  async around(operation) {
    const { key, config } = operation;
    try {
      if (isNewConfig(operation)) await probeUntilRight({ ...key, ...config }, operation);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      throw new Error(error.of(`${idOf(key)} failed`), { cause: error });
    }
    return { facts: Facts.nothing() };
  },
});
