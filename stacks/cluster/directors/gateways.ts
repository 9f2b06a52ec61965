import type * as pulumi from "@pulumi/pulumi";
import { familyOf } from "../../../src/values/address.js";
import type { ClusterArgs } from "../args.js";
import { addressOf, isMap, listOf, type Place } from "../places.js";
import type { GatewayArgs } from "./args.js";

/** Returns the inside gateways of a NatCluster, which move with the VIPs. */
export const gatewaysOf = ({ vrrp }: Pick<ClusterArgs, "vrrp">): { at: Place; gateway: GatewayArgs }[] => {
  const { gateways } = (isMap(vrrp) ? vrrp : {}) as { gateways?: unknown };
  return listOf(gateways).flatMap((one, i) =>
    isMap(one) || typeof one === "string"
      ? [
          {
            at: ["vrrp", "gateways", i],
            gateway: (isMap(one) ? one : { address: one }) as unknown as GatewayArgs,
          },
        ]
      : [],
  );
};

/** Returns the return routes of a NatCluster whose way is known: the `dip`, or the gateway of their family. */
export function waysOf(args: ClusterArgs): { at: Place; destination: string; via: pulumi.Input<string> }[] {
  const { returnRoutes, director } = args as {
    returnRoutes?: unknown;
    director?: { dip?: pulumi.Input<string> };
  };
  const gateways = gatewaysOf(args).map(({ gateway }) => gateway.address);
  return listOf(returnRoutes).flatMap((destination, i) => {
    if (typeof destination !== "string") return [];
    const isWay = (gateway: unknown) =>
      addressOf(gateway) !== undefined &&
      (destination === "default" || familyOf(String(gateway)) === familyOf(destination));
    // One that is not known yet may be of each family.
    const unknown = () => gateways.find((gateway) => addressOf(gateway) === undefined);
    const via = args.directors === undefined ? director?.dip : (gateways.find(isWay) ?? unknown());
    return via === undefined ? [] : [{ at: ["returnRoutes", i], destination, via }];
  });
}
