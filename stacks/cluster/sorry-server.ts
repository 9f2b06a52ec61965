import type { ServiceArgs } from "./args.js";
import { isOutput, knownFields, mapInput } from "./inputs.js";

type Health = NonNullable<ServiceArgs["health"]>;
type Forwarding = "gatewaying" | "masquerading";

const isLoopback = (address: unknown): boolean =>
  typeof address === "string" && /^(127\.|::1$)/.test(address);

/**
 * Returns the sorry server of a service's checks, if it has one. It has the forwarding of the cluster's members, except
 * on the loopback, which needs gatewaying.
 */
export function sorryServerOf(
  { sorryServer }: Pick<Health, "sorryServer">,
  forwarding: Forwarding,
): Pick<Health, "sorryServer"> {
  if (sorryServer === undefined) return {};
  if (isOutput(sorryServer))
    return {
      sorryServer: mapInput(
        sorryServer,
        (known) => known && reached(knownFields(known), forwarding),
      ) as never,
    };
  return { sorryServer: sorryServer && (reached(knownFields(sorryServer), forwarding) as never) };
}

/** Returns a sorry server with its forwarding. */
function reached(sorryServer: Record<string, unknown>, forwarding: Forwarding): Record<string, unknown> {
  const { address } = sorryServer;
  const way = (known: unknown) => (isLoopback(known) ? "gatewaying" : forwarding);
  const own = mapInput(address, way);
  return { ...sorryServer, forwarding: sorryServer.forwarding ?? own };
}
