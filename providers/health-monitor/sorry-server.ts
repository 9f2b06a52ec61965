import { z } from "zod";
import { familyOf, hostAddress, portOrAny } from "../../src/values/address.js";
import type { Problem } from "../../src/values/problem.js";
import { type ServiceAddress, serviceFamily } from "../../src/values/service-address.js";

/** A server that answers while too few real servers are up. */
export interface SorryServer {
  /** Address in the service's family. `127.0.0.1` only with gatewaying. Not one of the real servers. */
  address: string;
  /**
   * Port, 1-65535. Behind a service of every port 0, the port of the request. Default: the service's own,
   * which gatewaying needs.
   */
  port?: number | undefined;
  /**
   * Forwarding of packets to it: see RealServer. Default `gatewaying`. Default in a NatCluster:
   * `masquerading`, except for loopback addresses.
   */
  forwarding?: "gatewaying" | "masquerading" | undefined;
  /** Weight, 1-65535. Default 1. */
  weight?: number | undefined;
}

/** The sum of weights that must be up. */
export interface Quorum {
  /** Sum of weights, 1-1000000. Above 1 it needs a sorry server. Default 1. */
  weight?: number | undefined;
  /** Distance of losing and reaching the quorum, 0-1000000, below `weight`. Default 0. */
  hysteresis?: number | undefined;
}

const forwarding = z.enum(["gatewaying", "masquerading"]);

const given = z.strictObject({
  address: hostAddress,
  port: portOrAny.optional(),
  forwarding: forwarding.default("gatewaying"),
  weight: z.number().int().min(1).max(65535).default(1),
});

/** The schema of `sorryServer`. @internal */
export const sorryServer = given.nullable().default(null);

/** The schema in a cluster's services, where the cluster chooses the default of `forwarding`. @internal */
export const sorryInCluster = given.extend({ forwarding: forwarding.optional() }).nullable().default(null);

/** Returns why the service could not reach a sorry server. @internal */
export function sorryProblems(
  service: ServiceAddress,
  { address, port, forwarding }: Omit<SorryServer, "port"> & { port?: number | undefined },
): Problem[] {
  const own = "fwmark" in service ? undefined : service.port;
  const problem = (path: string, reason: string) => [{ path: `sorryServer.${path}`, reason }];
  if (familyOf(address) !== serviceFamily(service))
    return problem("address", `${address} is not of the service's address family`);
  if (/^(127\.|::1$)/.test(address) && forwarding === "masquerading")
    return problem(
      "address",
      `${address} cannot be masqueraded to: the kernel sends nothing to it; use the director's own address`,
    );
  if (forwarding === "gatewaying" && own !== undefined && port !== undefined && port !== own)
    return problem(
      "port",
      `${port} is not the service's ${own}, and gatewaying leaves ports as they are; masquerade to an address of the director's`,
    );
  if (port === 0 && own !== 0) return problem("port", "0 is for services of every port");
  if (port === undefined && own === undefined)
    return problem("port", "is missing: the service has none of its own");
  return [];
}
