import type { ServiceArgs } from "./args.js";
import { isOutput, later } from "./later.js";

type Health = NonNullable<ServiceArgs["health"]>;
type Forwarding = "gatewaying" | "masquerading";

/** Returns the fields of a map, and none of an output, whose value is known later. */
export const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !isOutput(value) ? { ...value } : {};

const isLoopback = (address: unknown): boolean =>
  typeof address === "string" && /^(127\.|::1$)/.test(address);

/**
 * Returns the paths of checks through the VIP, which needs gatewaying: `check.through`,
 * `servers["192.168.10.11:80"].through`.
 */
export const checksThroughVip = ({ check, servers }: Pick<Health, "check" | "servers">): string[][] => [
  ...(fieldsOf(check).through === "vip" ? [["check", "through"]] : []),
  ...Object.entries(fieldsOf(servers))
    .filter(([, other]) => fieldsOf(other).through === "vip")
    .map(([server]) => ["servers", server, "through"]),
];

/** The error of such a check with masquerading. */
export const onlyGatewaying =
  "vip is for gatewaying: with masquerading the real servers do not have the VIP, and no check would be answered";

/**
 * Returns a service's checks. The sorry server has the forwarding of the cluster's members, except on the
 * loopback, which needs gatewaying.
 */
export function healthOf({ sorryServer, ...health }: Health, forwarding: Forwarding): Health {
  if (sorryServer === undefined) return health;
  if (isOutput(sorryServer))
    return {
      ...health,
      sorryServer: later(sorryServer, (known) => known && reached(fieldsOf(known), forwarding)) as never,
    };
  return { ...health, sorryServer: sorryServer && (reached(fieldsOf(sorryServer), forwarding) as never) };
}

/** Returns a sorry server with its forwarding. */
function reached(sorryServer: Record<string, unknown>, forwarding: Forwarding): Record<string, unknown> {
  const { address } = sorryServer;
  const way = (known: unknown) => (isLoopback(known) ? "gatewaying" : forwarding);
  const own = later(address, way);
  return { ...sorryServer, forwarding: sorryServer.forwarding ?? own };
}
