import { z } from "zod";
import { healthCheck } from "../../src/health/check.js";
import { endpoint, hostAddress } from "../../src/values/address.js";
import { mapOf } from "../../src/values/problem.js";
import { sorryInCluster, sorryServer } from "./sorry-server.js";

const count = (most: number, least = 1) => z.number().int().min(least).max(most);

/** Configuration of a HealthMonitor besides its service. */
export const config = z.strictObject({
  check: healthCheck.default({}),
  servers: mapOf(z.string(), healthCheck).default({}),
  interval: count(3600).default(5),
  connectTimeout: count(60).default(1),
  timeout: count(60).optional(),
  rise: count(100).default(3),
  fall: count(100).default(3),
  action: z.enum(["remove", "quiesce"]).default("remove"),
  lastServer: z.enum(["keep", "remove"]).default("keep"),
  sorryServer,
  quorum: z
    .strictObject({ weight: count(1_000_000).default(1), hysteresis: count(1_000_000, 0).default(0) })
    .default({ weight: 1, hysteresis: 0 }),
  slowStart: count(3600, 0).default(0),
  log: z
    .string()
    .max(200)
    .regex(/^\/[A-Za-z0-9._/-]*[A-Za-z0-9]$/, "is no path such as /var/log/ipvsmonitor.log")
    .nullable()
    .default("/var/log/ipvsmonitor.log"),
  agent: z.literal("running").default("running"),
});

/** Configuration of health checks in a service of a cluster. */
export const healthConfig = config.omit({ agent: true }).extend({ sorryServer: sorryInCluster });

export type Config = z.output<typeof config>;

/**
 * Returns a real server as the host's files name it, `192.168.10.11:80`. Returns undefined for any other
 * text.
 */
export function serverOf(text: string): string | undefined {
  const [, six, four, digits] = /^(?:\[([^\]]+)\]|([0-9.]+)):(0|[1-9]\d{0,4})$/.exec(text) ?? [];
  const address = hostAddress.safeParse(six ?? four);
  if (!address.success || (six === undefined) === address.data.includes(":")) return undefined;
  return Number(digits) > 65535 ? undefined : endpoint(address.data, Number(digits));
}
