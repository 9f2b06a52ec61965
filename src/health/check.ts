import { z } from "zod";
import { ipAddress, port } from "../values/address.js";

/** A text that is one line of a file on the host. */
const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, "has a line break, a tab, or what is no character");

/** How a real server is asked whether it is well. */
export interface HealthCheck {
  /**
   * `http` (default) or `https`: GET of `path`. `tcp`: a connection is taken. `dns`: a name is asked for over TCP.
   * `command`: a command ends with 0 (`$ADDRESS` and `$PORT` say whom it is about).
   */
  type?: "http" | "https" | "tcp" | "dns" | "command";
  /** Port that is asked, 1-65535. Default: the real server's, or where it has none the service's, or 80 (https: 443). */
  port?: number;
  /** Path and query of the page. Default `/.health.html`. */
  path?: string;
  /** Text that the page must contain; "" for any page. Default `OK`. */
  body?: string;
  /** Status codes, 100-599, that are right, in place of the default, which is 200 alone. */
  status?: number[];
  /** Name that is asked for (Host header, and TLS server name). Default: the address. */
  host?: string;
  /** Whether the certificate must be valid, for `host`. Default false. */
  verify?: boolean;
  /** Name whose address a `dns` check asks for: any answer but an error counts. Needed there. */
  query?: string;
  /** What a `command` check runs, by sh. */
  command?: string;
  /**
   * `rip` (default) asks the real server's own address; `vip` asks the VIP on the real server, so that one without its VIP
   * counts as down. For gatewaying only.
   */
  through?: "rip" | "vip";
  /** The VIP for `through: "vip"` behind a firewall mark, which names none. */
  vip?: string;
}

/** What is checked; also the part of it that a single server has otherwise. @internal */
export const healthCheck = z.strictObject({
  type: z.enum(["http", "https", "tcp", "dns", "command"]).optional(),
  port: port.optional(),
  path: line(1000)
    .regex(/^\/\S*$/, "does not begin with /, or has a blank")
    .optional(),
  body: z.union([z.literal(""), line(1000)]).optional(),
  status: z.array(z.number().int().min(100).max(599)).min(1).optional(),
  host: line(253)
    .regex(/^[A-Za-z0-9._-]+$/, "is no host name")
    .optional(),
  verify: z.boolean().optional(),
  query: line(200)
    .regex(/^([A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?$/, "is no name")
    .optional(),
  command: line(2000).optional(),
  through: z.enum(["rip", "vip"]).optional(),
  vip: ipAddress.optional(),
});

/** @internal */
export type Check = z.output<typeof healthCheck>;

/** What is asked when nothing else is said. @internal */
export const checkDefaults = (type: Check["type"] = "http"): Check =>
  type === "http" || type === "https"
    ? {
        type,
        path: "/.health.html",
        body: "OK",
        status: [200],
        ...(type === "https" ? { verify: false } : {}),
      }
    : { type };

const fields: Readonly<Record<string, readonly (keyof Check)[]>> = {
  http: ["path", "body", "status", "host"],
  https: ["path", "body", "status", "host", "verify"],
  tcp: [],
  dns: ["query"],
  command: ["command"],
};

/** Why a check cannot be; each mistake by its field. @internal */
export function checkProblems(check: Check): { path: keyof Check; reason: string }[] {
  const type = check.type ?? "http";
  const allowed = new Set<string>(["type", "port", "through", "vip", ...(fields[type] ?? [])]);
  const names = Object.keys(check) as (keyof Check)[];
  return [
    ...names
      .filter((name) => !allowed.has(name))
      .map((path) => ({ path, reason: `is not for checks of type ${type}` })),
    ...(["query", "command"] as const)
      .filter((name) => fields[type]?.includes(name) && check[name] === undefined)
      .map((path) => ({ path, reason: "is missing" })),
    ...(check.vip !== undefined && check.through !== "vip"
      ? [{ path: "vip" as const, reason: 'goes with through: "vip" only' }]
      : []),
    ...(check.through === "vip" && type === "command"
      ? [
          {
            path: "through" as const,
            reason: "a command goes its own way; vip is for http, https, tcp and dns",
          },
        ]
      : []),
  ];
}
