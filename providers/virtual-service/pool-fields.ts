import { z } from "zod";
import { endpoint, hostAddress, parseEndpoint, portOrAny } from "../../src/values/address.js";
import { mapOf, type Problem, show, showPath } from "../../src/values/problem.js";
import type { Part } from "../engine/define.js";
import type { Key } from "../real-server/in-use.js";
import { config, realServer } from "../real-server/index.js";

/** The declared servers of a service by `address:port`, or null if they are resources of their own. */
export type Pool = z.output<typeof realServers>;

/** The fields of a server of a pool. */
export type Config = NonNullable<Pool>[string];

const place = z.object({ address: hostAddress, port: portOrAny });

/** Returns a server as the host's tables have it, or undefined for any other text. */
const canonical = (text: string): string | undefined => {
  const at = parseEndpoint(text);
  return at && place.safeParse(at).success ? endpoint(at.address, at.port) : undefined;
};

/** The schema of a server of a pool. @internal */
export const server = z
  .string()
  .refine((text) => canonical(text) !== undefined, {
    error: ({ input }) =>
      `${show(input)} is not an address and port of a host, such as 192.168.10.11:80 or [2001:db8::11]:80`,
  })
  .transform((text) => canonical(text) as string);

/** The schema of `realServers`. A map that names one server in two ways is refused. @internal */
export const realServers = z.preprocess((given, context) => {
  const seen = new Map<string, string>();
  for (const name of typeof given === "object" && given !== null ? Object.keys(given) : []) {
    const at = canonical(name) ?? name;
    const other = seen.get(at);
    seen.set(at, name);
    if (other !== undefined)
      context.issues.push({
        code: "custom",
        input: given,
        path: [name],
        message: `is the same server as ${show(other)}`,
      });
  }
  return given;
}, mapOf(server, config).nullable().default(null));

/** Returns whether a text is a server as the host's tables have it. */
export const isServer = (text: string): boolean => {
  const at = parseEndpoint(text);
  return at !== undefined && endpoint(at.address, at.port) === text;
};

/** Returns the identity of a server of a pool. One on a host may have an address that a program may not. */
export const keyOf = (service: string, at: string): Key => ({
  service,
  ...(parseEndpoint(at) as { address: string; port: number }),
});

/** Returns the servers of a pool as things that its service declares. */
export const partsOfPool = (service: string, pool: Pool): Part[] =>
  Object.entries(pool ?? {}).map(([at, fields]) => ({
    definition: realServer,
    fields: { ...keyOf(service, at), ...fields },
  }));

/** Returns the mistakes in a pool that no single field shows. @internal */
export const poolProblems = (service: string, pool: Pool): Problem[] =>
  Object.entries(pool ?? {}).flatMap(([at, fields]) =>
    (realServer.validate?.(keyOf(service, at), fields) ?? []).map(({ path, reason }) => ({
      path: ["address", "port"].includes(path)
        ? showPath(["realServers", at])
        : `${showPath(["realServers", at])}.${path}`,
      reason,
    })),
  );
