import { z } from "zod";
import { healthConfig } from "../providers/health-monitor/config.js";
import { schedulers } from "../providers/virtual-service.js";
import { connection } from "../src/ssh/connection.js";
import {
  addressLabel,
  destination,
  interfaceName,
  ipAddress,
  port,
  portOrAny,
} from "../src/values/address.js";
import { rivals } from "../src/values/conflicts.js";
import { errorMap, mapOf, problemsOf, show, showGiven, whyNot } from "../src/values/problem.js";
import { maxFwmark } from "../src/values/service-address.js";
import { checksThroughVip, onlyGatewaying } from "./cluster/health.js";
import { isMemberName, noMemberName } from "./cluster/member-name.js";
import { isPackageName, noPackageName } from "./cluster/package-names.js";
import type { DrClusterArgs } from "./dr-cluster.js";
import type { NatClusterArgs } from "./nat-cluster.js";

const count = (most: number, least = 0) => z.number().int().min(least).max(most);

const vip = z.strictObject({
  address: ipAddress,
  prefixLength: count(128, 1).optional(),
  label: addressLabel.optional(),
  broadcast: ipAddress.optional(),
});

const drain = z
  .strictObject({ timeout: count(86400, 1).optional(), minimum: count(3600).optional() })
  .nullable()
  .optional();

const service = z.strictObject({
  protocol: z.enum(["tcp", "udp"]).optional(),
  port: portOrAny.optional(),
  fwmark: count(maxFwmark, 1).optional(),
  scheduler: z.enum(schedulers).optional(),
  persistence: z
    .strictObject({ timeout: count(2678400, 1).optional(), netmask: count(128, 1).optional() })
    .optional(),
  health: healthConfig.optional(),
  drain,
});

const realServer = z.strictObject({
  name: z.string().refine(isMemberName, noMemberName).optional(),
  address: ipAddress,
  connection: connection.optional(),
  weight: count(65535).optional(),
  upperThreshold: count(65535).optional(),
  lowerThreshold: count(65535).optional(),
  persist: z.boolean().optional(),
});

const director = z.strictObject({
  connection,
  interface: interfaceName,
  alongside: z.array(z.enum(rivals)).optional(),
  timeouts: z
    .strictObject({
      tcp: count(2678400, 1).optional(),
      tcpFin: count(2678400, 1).optional(),
      udp: count(2678400, 1).optional(),
    })
    .optional(),
  syncDaemon: z
    .strictObject({
      state: z.enum(["master", "backup"]),
      mcastInterface: interfaceName,
      syncid: count(255).optional(),
      syncMaxlen: count(65507, 1).optional(),
      mcastGroup: ipAddress.optional(),
      mcastPort: port.optional(),
      mcastTtl: count(255, 1).optional(),
    })
    .optional(),
});

const packageName = z.string().refine(isPackageName, {
  error: ({ input }) => `${showGiven(input)} ${noPackageName}`,
});

const packages = z.strictObject({
  director: z.array(packageName).optional(),
  realServers: z.array(packageName).optional(),
});

const status = count(599, 100);

const probe = z.strictObject({
  from: connection,
  http: z.array(port).optional(),
  path: z
    .string()
    .max(400)
    .regex(/^\/[!-~]*$/, "does not begin with /, or has other characters than a URL may have")
    .optional(),
  status: z.union([status, z.array(status).min(1)]).optional(),
  contains: z.string().min(1).max(1000).optional(),
  requests: count(1000, 1).optional(),
  failures: count(1000).optional(),
  timeout: count(60, 1).optional(),
  within: count(600).optional(),
  servers: count(1000, 1).optional(),
  header: z.string().min(1).max(100).optional(),
  arp: z.boolean().optional(),
});

const common = {
  vips: z.array(z.union([ipAddress, vip])).min(1),
  realServers: z.array(realServer).min(1),
  packages: packages.optional(),
  drain,
  adopt: z.boolean().optional(),
  persist: z.boolean().optional(),
  probe: probe.optional(),
};

const dr = z.strictObject({
  ...common,
  kind: z.literal("dr"),
  director,
  services: z.array(service).min(1),
  arp: z.strictObject({ interface: interfaceName.optional(), all: z.boolean().optional() }).optional(),
  loopbackLabel: addressLabel
    .refine((label) => /^lo(:|$)/.test(label), {
      error: ({ input }) => `${show(input)} does not begin with lo:`,
    })
    .optional(),
  hostRoutes: z.boolean().optional(),
  ipForwarding: z.boolean().optional(),
});

const natHealth = healthConfig.superRefine((health, { addIssue }) => {
  for (const path of checksThroughVip(health as Parameters<typeof checksThroughVip>[0]))
    addIssue({ code: "custom", path, message: onlyGatewaying });
});

const nat = z.strictObject({
  ...common,
  kind: z.literal("nat"),
  director: director.extend({ dip: ipAddress.optional(), insideInterface: interfaceName.optional() }),
  services: z.array(service.extend({ realServerPort: port.optional(), health: natHealth.optional() })).min(1),
  // as given, since resources are named by it
  returnRoutes: z
    .array(
      z.string().superRefine((text, { addIssue }) => {
        const reason = whyNot(destination, text);
        if (reason !== undefined) addIssue(reason);
      }),
    )
    .optional(),
});

/** What a stack's configuration may say: clusters by name. */
const clusters = mapOf(
  z.string().regex(/^[A-Za-z0-9_-]{1,60}$/, "is no cluster name: letters, digits, - and _ only"),
  z.discriminatedUnion("kind", [dr, nat], {
    error: ({ code, input }) => {
      if (code !== "invalid_union") return undefined;
      const { kind } = input as { kind?: unknown };
      return kind === undefined ? "is missing" : `${showGiven(kind)} is none of dr, nat`;
    },
  }),
);

/** Clusters by name, as the stack's configuration gives them. */
export type Clusters = Record<string, ({ kind: "dr" } & DrClusterArgs) | ({ kind: "nat" } & NatClusterArgs)>;

/** The clusters, or every mistake with its place: `clusters.web.realServers[1].address: "10.0.0.300" is no IP address`. */
export function parseClusters(given: unknown): { clusters: Clusters } | { mistakes: string[] } {
  const parsed = clusters.safeParse(given, { error: errorMap });
  if (parsed.success) return { clusters: parsed.data as Clusters };
  return { mistakes: problemsOf(parsed.error, ["clusters"]).map(({ path, reason }) => `${path}: ${reason}`) };
}
