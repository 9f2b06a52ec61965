import { z } from "zod";
import * as arpSuppression from "../providers/arp-suppression.js";
import { common as everyResource } from "../providers/engine/inputs.js";
import { healthConfig } from "../providers/health-monitor/config.js";
import * as hostRoute from "../providers/host-route.js";
import * as ipvsTimeouts from "../providers/ipvs-timeouts.js";
import * as realServers from "../providers/real-server/index.js";
import * as serviceProbe from "../providers/service-probe/index.js";
import * as syncDaemons from "../providers/sync-daemon.js";
import * as virtualAddress from "../providers/virtual-address.js";
import * as virtualService from "../providers/virtual-service.js";
import { connection } from "../src/ssh/connection.js";
import { addressLabel, interfaceName, port } from "../src/values/address.js";
import { errorMap, mapOf, problemsOf, show, showGiven } from "../src/values/problem.js";
import { asGiven, fieldsOf } from "./cluster/as-given.js";
import { checksThroughVip, onlyGatewaying } from "./cluster/health.js";
import { isMemberName, noMemberName } from "./cluster/member-name.js";
import { isPackageName, noPackageName } from "./cluster/package-names.js";
import type { DrClusterArgs } from "./dr-cluster.js";
import type { NatClusterArgs } from "./nat-cluster.js";

// The limits come from the resources. Only fields that no resource has get limits here.

const vip = z.strictObject({
  ...fieldsOf(virtualAddress.key, "address"),
  ...fieldsOf(virtualAddress.config, "prefixLength", "label", "broadcast"),
});

const { drain } = fieldsOf(realServers.config, "drain");
const { adopt, alongside, persist } = fieldsOf(z.strictObject(everyResource));

const service = z.strictObject({
  ...fieldsOf(virtualService.key, "protocol", "port", "fwmark"),
  ...fieldsOf(virtualService.config),
  health: asGiven(healthConfig).optional(),
  drain,
});

const realServer = z.strictObject({
  name: z.string().refine(isMemberName, noMemberName).optional(),
  ...fieldsOf(realServers.key, "address"),
  ...fieldsOf(realServers.config, "weight", "upperThreshold", "lowerThreshold"),
  connection: connection.optional(),
  persist,
});

const director = z.strictObject({
  connection,
  ...fieldsOf(virtualAddress.key, "interface"),
  alongside,
  timeouts: z.strictObject(fieldsOf(ipvsTimeouts.config)).optional(),
  syncDaemon: z.strictObject({ ...fieldsOf(syncDaemons.key), ...fieldsOf(syncDaemons.config) }).optional(),
});

const packageName = z.string().refine(isPackageName, {
  error: ({ input }) => `${showGiven(input)} ${noPackageName}`,
});

const packages = z.strictObject({
  director: z.array(packageName).optional(),
  realServers: z.array(packageName).optional(),
});

const probe = z.strictObject({
  from: connection,
  http: z.array(port).optional(),
  // A part of the URL of a ServiceProbe.
  path: z
    .string()
    .max(400)
    .regex(/^\/[!-~]*$/, "does not begin with /, or has other characters than a URL may have")
    .optional(),
  ...fieldsOf(serviceProbe.config, "contains", "requests", "failures", "timeout", "within"),
  ...fieldsOf(serviceProbe.spread, "header", "servers"),
  status: serviceProbe.statusCodes.nullable().optional(),
  arp: z.boolean().optional(),
});

const common = {
  vips: z.array(z.union([virtualAddress.key.shape.address, vip])).min(1),
  realServers: z.array(realServer).min(1),
  packages: packages.optional(),
  drain,
  adopt,
  persist,
  probe: probe.optional(),
};

const dr = z.strictObject({
  ...common,
  kind: z.literal("dr"),
  director,
  services: z.array(service).min(1),
  arp: z.strictObject(fieldsOf(arpSuppression.key)).optional(),
  loopbackLabel: addressLabel
    .refine((label) => /^lo(:|$)/.test(label), {
      error: ({ input }) => `${show(input)} does not begin with lo:`,
    })
    .optional(),
  hostRoutes: z.boolean().optional(),
  ipForwarding: z.boolean().optional(),
});

const natHealth = asGiven(healthConfig).superRefine((health, { addIssue }) => {
  for (const path of checksThroughVip(health as Parameters<typeof checksThroughVip>[0]))
    addIssue({ code: "custom", path, message: onlyGatewaying });
});

const nat = z.strictObject({
  ...common,
  kind: z.literal("nat"),
  director: director.extend({
    dip: hostRoute.config.shape.via.unwrap().unwrap().optional(),
    insideInterface: interfaceName.optional(),
  }),
  services: z.array(service.extend({ realServerPort: port.optional(), health: natHealth.optional() })).min(1),
  // As written, because the names of resources contain it.
  returnRoutes: z.array(hostRoute.key.shape.destination.in).optional(),
});

/** The schema of a stack's configuration: clusters by name. @internal */
export const clusters = mapOf(
  z.string().regex(/^[A-Za-z0-9_-]{1,60}$/, "is no cluster name: letters, digits, - and _ only"),
  z.discriminatedUnion("kind", [dr, nat], {
    error: ({ code, input }) => {
      if (code !== "invalid_union") return undefined;
      const { kind } = input as { kind?: unknown };
      return kind === undefined ? "is missing" : `${showGiven(kind)} is none of dr, nat`;
    },
  }),
);

/** Clusters by name, as in the stack's configuration. */
export type Clusters = Record<string, (Kind<"dr"> & DrClusterArgs) | (Kind<"nat"> & NatClusterArgs)>;

/** The field that tells the kinds of clusters apart. */
interface Kind<Name extends string> {
  /** Forwarding of the cluster: `dr` for LVS/DR, `nat` for LVS/NAT. */
  kind: Name;
}

/**
 * Returns the clusters, or every mistake with its place: `clusters.web.realServers[1].address: "10.0.0.300"
 * is no IP address`.
 */
export function parseClusters(given: unknown): { clusters: Clusters } | { mistakes: string[] } {
  const parsed = clusters.safeParse(given, { error: errorMap });
  if (parsed.success) return { clusters: parsed.data as Clusters };
  return { mistakes: problemsOf(parsed.error, ["clusters"]).map(({ path, reason }) => `${path}: ${reason}`) };
}
