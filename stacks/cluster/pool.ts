import * as pulumi from "@pulumi/pulumi";
import type { Inputs } from "../../providers/engine/resource-class.js";
import type { Drain } from "../../providers/real-server/drain-fields.js";
import type { PoolServer } from "../../providers/real-server/index.js";
import { endpoint } from "../../src/values/address.js";

/** A server of a pool: where it is, and its fields. */
interface PoolEntry {
  readonly address: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  readonly fields: Inputs<PoolServer>;
}

type PoolMap = Record<string, Inputs<PoolServer>>;

/** Returns the `realServers` of a service that owns its pool. Addresses and ports may be outputs. */
export function poolOf(members: readonly PoolEntry[]): pulumi.Input<PoolMap> {
  const mapOf = (ends: readonly (readonly [string, number])[]): PoolMap => {
    const map: PoolMap = {};
    for (const [i, [address, port]] of ends.entries()) {
      const at = endpoint(address, port);
      if (Object.hasOwn(map, at))
        throw new pulumi.RunError(`cannot make a pool: ${at} is in it twice; take one of them out`);
      map[at] = (members[i] as PoolEntry).fields;
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

/** What a PoolDrain is made of, besides its service. */
export interface PoolDrains {
  /** The last part of its name. */
  readonly label: string;
  readonly realServers: pulumi.Input<Record<string, Inputs<Drain> | null>>;
}

/** Returns the drain of each server of a pool, or null. */
export const drainsOf = (pool: pulumi.Input<PoolMap>): PoolDrains["realServers"] =>
  pulumi
    .output(pool)
    .apply((servers) =>
      Object.fromEntries(Object.entries(servers).map(([at, { drain }]) => [at, drain ?? null])),
    );
