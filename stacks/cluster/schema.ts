import { z } from "zod";
import * as arpSuppression from "../../providers/arp-suppression.js";
import { common as everyResource, sharing } from "../../providers/engine/inputs.js";
import { healthConfig } from "../../providers/health-monitor/index.js";
import * as hostRoute from "../../providers/host-route.js";
import * as realServers from "../../providers/real-server/index.js";
import * as serviceProbe from "../../providers/service-probe/index.js";
import * as virtualAddress from "../../providers/virtual-address.js";
import * as virtualService from "../../providers/virtual-service/index.js";
import * as serviceKey from "../../providers/virtual-service/key.js";
import { connection } from "../../src/ssh/connection.js";
import { addressLabel, ipAddress, port } from "../../src/values/address.js";
import { mapOf, show, showGiven } from "../../src/values/problem.js";
import { asGiven, fieldsOf } from "./as-given.js";
import { director, directorMember, gateways, inside, listed, sync, vrrp } from "./directors/schema.js";
import { name, sysctls } from "./machine-schema.js";
import { isPackageName, noPackageName } from "./package-names.js";

// The limits come from the resources. Only fields that no resource has get limits here.

const networkOf = (text: string): [address: string, bits: string] | undefined => {
  const [address = "", bits = "", ...rest] = text.split("/");
  return ipAddress.safeParse(address).success && /^\d{1,3}$/.test(bits) && rest.length === 0
    ? [address, bits]
    : undefined;
};

const vipAddress = z
  .string()
  .refine((text) => networkOf(text) === undefined, {
    error: ({ input }) => {
      const [address, bits] = networkOf(String(input)) ?? [];
      return `${show(input)} is not an IP address; write { address: ${address}, prefixLength: ${bits} }`;
    },
    abort: true,
  })
  .pipe(virtualAddress.key.shape.address);

const vip = z.strictObject({
  name: name.optional(),
  address: vipAddress,
  ...fieldsOf(virtualAddress.config, "prefixLength", "label", "broadcast", "announce"),
  ...sharing,
});

const { drain } = fieldsOf(realServers.config, "drain");
const { adopt, persist } = fieldsOf(z.strictObject(everyResource));
const share = fieldsOf(realServers.share);

const realServer = z.strictObject({
  name: name.optional(),
  ...fieldsOf(realServers.key, "address"),
  address6: realServers.key.shape.address.optional(),
  ...share,
  connection: connection.optional(),
  localnode: z.boolean().optional(),
  sysctls,
  persist,
});

const member = z.strictObject({ ...share, port: port.optional(), drain });

const service = z.strictObject({
  ...fieldsOf(serviceKey.key, "protocol", "port", "fwmark", "family"),
  ...fieldsOf(virtualService.config, "scheduler", "schedulerFlags", "persistence"),
  vips: z.array(z.string()).min(1).optional(),
  realServers: z
    .array(z.union([z.string(), realServer]))
    .min(1)
    .optional(),
  members: mapOf(z.string(), member.nullable()).optional(),
  health: asGiven(healthConfig).optional(),
  drain,
  pool: z.boolean().optional(),
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
  sync: sync.optional(),
  allowDown: z.boolean().optional(),
  vips: z.array(z.union([vipAddress, vip])).min(1),
  realServers: z.array(realServer).min(1).optional(),
  packages: packages.optional(),
  drain,
  pool: z.boolean().optional(),
  adopt,
  persist,
  probe: probe.optional(),
};

const dr = z.strictObject({
  ...common,
  kind: z.literal("dr"),
  director: director.optional(),
  directors: listed(directorMember),
  vrrp: vrrp.optional(),
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

const nat = z.strictObject({
  ...common,
  kind: z.literal("nat"),
  director: director
    .extend({ dip: hostRoute.config.shape.via.unwrap().unwrap().optional(), ...inside })
    .optional(),
  directors: listed(directorMember.extend(inside)),
  vrrp: vrrp.extend({ gateways: gateways.optional() }).optional(),
  services: z.array(service.extend({ realServerPort: port.optional() })).min(1),
  // As written, because the names of resources contain it.
  returnRoutes: z.array(hostRoute.key.shape.destination.in).optional(),
  sharedReturnRoutes: sharing.shared,
});

/** The schemas of a cluster by kind. @internal */
export const kinds = { dr, nat };

/** The name of a kind of cluster. */
export type KindName = keyof typeof kinds;

/** A cluster of either kind. */
const anyCluster = z.discriminatedUnion("kind", [dr, nat], {
  error: ({ code, input }) => {
    if (code !== "invalid_union") return undefined;
    const { kind } = input as { kind?: unknown };
    if (kind === undefined) return "is missing; write kind: dr or kind: nat";
    return `${showGiven(kind)} must be one of dr, nat${kindHint(kind)}`;
  },
});

function kindHint(kind: unknown): string {
  if (typeof kind !== "string") return "";
  const given = kind.toLowerCase();
  if (["dr", "gatewaying", "gate", "direct"].includes(given)) return "; did you mean `dr`?";
  if (["nat", "masq", "masquerading"].includes(given)) return "; did you mean `nat`?";
  return ["tun", "tunnel", "ipip", "fullnat", "fnat"].includes(given) ? "; tunnels are not supported" : "";
}

/** The schema of a stack's configuration: clusters by name. @internal */
export const clusters = mapOf(
  z.string().regex(/^[A-Za-z0-9_-]{1,60}$/, "is not a cluster name: letters, digits, - and _ only"),
  anyCluster,
);
