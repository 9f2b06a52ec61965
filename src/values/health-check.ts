import { z } from "zod";
import { ipAddress, port } from "./address.js";

/** Returns the schema of a text that is one line of a file on the host. */
const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, "has a line break, a tab or an invalid character");

/** The check of a real server. */
export interface HealthCheck {
  /**
   * `http` (default) or `https` gets `path`. `tcp` connects. `dns` queries a name over TCP. `command` runs a
   * command that must end with 0; `$ADDRESS` and `$PORT` name the server.
   */
  type?: "http" | "https" | "tcp" | "dns" | "command" | undefined;
  /**
   * Port of the check, 1-65535. Default: the real server's port, or the service's if it has none, or 80
   * (https: 443).
   */
  port?: number | undefined;
  /** Path and query of the page, from `/` on, at most 1000 characters. Default `/.health.html`. */
  path?: string | undefined;
  /**
   * Text that the page must contain, at most 1000 characters. "" accepts any page. A page above 1 MB fails.
   * Default `OK`.
   */
  body?: string | undefined;
  /** Accepted status codes, 100-599. Default: 200 only. */
  status?: number[] | undefined;
  /** Name of the site, such as `www.example.com` (Host header and TLS server name). Default: the address. */
  host?: string | undefined;
  /** Whether the certificate of `https` must be valid for `host`. Default false. */
  verify?: boolean | undefined;
  /** Name that a `dns` check queries. Any answer but an error counts. Default: none, but required for `dns`. */
  query?: string | undefined;
  /**
   * Command that a `command` check runs with sh, at most 2000 characters. `ADDRESS` and `PORT` are in its
   * environment. Default: none, but required for `command`.
   */
  command?: string | undefined;
  /**
   * `rip` (default) checks the real server's own address. `vip` checks the VIP on the real server, so a
   * server without its VIP counts as down. For gatewaying only.
   */
  through?: "rip" | "vip" | undefined;
  /**
   * The VIP for `through: "vip"`, required if the service is a firewall mark. Default: the service's address.
   */
  vip?: string | undefined;
}

/**
 * What the schema of a field does not hold: the types of checks that have it (otherwise all), and whether these need
 * it. `form` is how the agent's awk reads a text: a regular expression, `port` or `address` (otherwise any text).
 */
const traits = z.registry<{ types?: readonly string[]; required?: true; form?: string }>();
const web = { types: ["http", "https"] };

/** Schema of a check, and of the override for a single server. @internal */
export const healthCheck = z.strictObject({
  type: z.enum(["http", "https", "tcp", "dns", "command"]).optional(),
  port: port.optional().register(traits, { form: "port" }),
  path: line(1000)
    .regex(/^\/\S*$/, "does not begin with /, or has a blank")
    .optional()
    .register(traits, { ...web, form: "^/[^ ]*$" }),
  body: z
    .union([z.literal(""), line(1000)])
    .optional()
    .register(traits, web),
  status: z.array(z.number().int().min(100).max(599)).min(1).optional().register(traits, web),
  host: line(253)
    .regex(/^[A-Za-z0-9._-]+$/, "is not a host name")
    .optional()
    .register(traits, { ...web, form: "^[A-Za-z0-9._-]+$" }),
  verify: z
    .boolean()
    .optional()
    .register(traits, { types: ["https"] }),
  query: line(200)
    .regex(/^([A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?$/, "is not a name")
    .optional()
    .register(traits, { types: ["dns"], required: true, form: "^[A-Za-z0-9._-]+$" }),
  command: line(2000)
    .optional()
    .register(traits, { types: ["command"], required: true }),
  through: z.enum(["rip", "vip"]).optional(),
  vip: ipAddress.optional().register(traits, { form: "address" }),
});

/** @internal */
export type Check = z.output<typeof healthCheck>;

/** Returns the check that applies without any fields. @internal */
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

/** Returns the reasons why a check is invalid, each with its field. @internal */
export function checkProblems(check: Check): { path: keyof Check; reason: string }[] {
  const type = check.type ?? "http";
  const isFor = (name: keyof Check) => traits.get(healthCheck.shape[name])?.types?.includes(type) ?? true;
  const isRequired = (name: keyof Check) =>
    isFor(name) && traits.get(healthCheck.shape[name])?.required === true;
  const names = Object.keys(healthCheck.shape) as (keyof Check)[];
  return [
    ...(Object.keys(check) as (keyof Check)[])
      .filter((name) => !isFor(name))
      .map((path) => ({ path, reason: `is not for checks of type ${type}` })),
    ...names
      .filter((name) => isRequired(name) && check[name] === undefined)
      .map((path) => ({ path, reason: "is missing" })),
    ...(check.vip !== undefined && check.through !== "vip"
      ? [{ path: "vip" as const, reason: 'is for through: "vip" only' }]
      : []),
    ...(check.through === "vip" && type === "command"
      ? [
          {
            path: "through" as const,
            reason: "cannot be vip for a check of type command; use http, https, tcp or dns, or leave it out",
          },
        ]
      : []),
  ];
}

/** Returns how the agent's awk reads a field. */
function formOf(field: (typeof healthCheck.shape)[keyof Check]): string {
  const schema: z.ZodType = field.unwrap();
  const form = traits.get(field)?.form;
  if (form !== undefined) return form;
  if (schema instanceof z.ZodEnum) return `^(${schema.options.join("|")})$`;
  if (schema instanceof z.ZodBoolean) return "^(yes|no)$";
  if (schema instanceof z.ZodNumber) return "^[0-9]+$";
  return schema instanceof z.ZodArray ? "^[0-9]+(,[0-9]+)*$" : "";
}

/** The assignment of the fields and their forms for the agent, with tabs between them. */
export const checkFormsVariable = {
  CHECK_FORMS: Object.entries(healthCheck.shape)
    .map(([name, field]) => `${name}=${formOf(field)}`)
    .join("\t"),
};
