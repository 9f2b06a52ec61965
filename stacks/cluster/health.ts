import type { ServiceArgs } from "./cluster.js";

type Health = NonNullable<ServiceArgs["health"]>;
type Forwarding = "gatewaying" | "masquerading";

const isLoopback = (address: unknown): boolean =>
  typeof address === "string" && /^(127\.|::1$)/.test(address);

/**
 * Returns the paths of checks through the VIP, which needs gatewaying: `check.through`,
 * `servers["192.168.10.11:80"].through`.
 */
export const checksThroughVip = ({ check, servers }: Pick<Health, "check" | "servers">): string[][] => [
  ...(check?.through === "vip" ? [["check", "through"]] : []),
  ...Object.entries(servers ?? {})
    .filter(([, other]) => other.through === "vip")
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
  if (!sorryServer) return { ...health, ...(sorryServer === null ? { sorryServer } : {}) };
  const way = isLoopback(sorryServer.address) ? "gatewaying" : forwarding;
  return { ...health, sorryServer: { ...sorryServer, forwarding: sorryServer.forwarding ?? way } };
}
