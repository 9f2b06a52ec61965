import * as pulumi from "@pulumi/pulumi";
import type { Inputs } from "../../providers/engine/resource-class.js";
import type { VirtualService } from "../../providers/index.js";
import type { PoolServer } from "../../providers/real-server/index.js";
import { endpoint, parseEndpoint } from "../../src/values/address.js";
import { withoutHost } from "../../src/values/service-address.js";
import type { Member } from "./args.js";

/** A server of a pool: where it is, and its fields. */
interface PoolMember {
  readonly address: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  readonly fields: Inputs<PoolServer>;
}

type PoolMap = Record<string, Inputs<PoolServer>>;

/** Returns the `realServers` of a service that owns its pool. Addresses and ports may be outputs. */
export function poolOf(members: readonly PoolMember[]): pulumi.Input<PoolMap> {
  const mapOf = (ends: readonly (readonly [string, number])[]): PoolMap => {
    const map: PoolMap = {};
    for (const [i, [address, port]] of ends.entries()) {
      const at = endpoint(address, port);
      if (Object.hasOwn(map, at))
        throw new pulumi.RunError(`${at} is twice in one pool; take one of them out`);
      map[at] = (members[i] as PoolMember).fields;
    }
    return map;
  };
  const known = members.flatMap(({ address, port }) =>
    typeof address === "string" && typeof port === "number" ? [[address, port] as const] : [],
  );
  if (known.length === members.length) return mapOf(known);
  const ends = members.map(({ address, port }) => pulumi.all([address, port]));
  return pulumi.all(ends).apply((all) => pulumi.output(mapOf(all)) as unknown as PoolMap);
}

/** Returns the servers of such a service as the outputs of a cluster list them. */
export const membersOf = ({ id, realServers }: VirtualService): pulumi.Output<Member[]> =>
  pulumi.all([id, realServers]).apply(([text, pool]) =>
    Object.entries((pool ?? {}) as Record<string, { forwarding: string; weight: number }>).map(
      ([at, { forwarding, weight }]) => {
        const { address = at, port = 0 } = parseEndpoint(at) ?? {};
        return { service: withoutHost(text), address, port, forwarding, weight };
      },
    ),
  );
