import * as pulumi from "@pulumi/pulumi";
import { IpForwarding } from "../../providers/index.js";
import { type Family, familyOf } from "../../src/values/address.js";
import type { ClusterArgs } from "./args.js";
import { poolsOf, vipsOf } from "./model.js";
import { addressOf } from "./places.js";
import type { DirectorScope } from "./scope.js";

/** Returns the address families of a cluster's VIPs, if they are known, and of its firewall marks. */
function knownFamilies(args: ClusterArgs): Family[] {
  const all = [
    ...vipsOf(args)
      .flatMap(({ vip }) => addressOf(vip.address) ?? [])
      .map(familyOf),
    ...poolsOf(args).flatMap(({ service }) =>
      service.fwmark === undefined ? [] : (service.family ?? "ipv4"),
    ),
  ];
  return [...new Set(all)].sort();
}

/**
 * Makes the forwarding of the director, for each family. A VIP whose address is an output has a resource of its own,
 * which gets the family when the address is known. `redirects` are the interfaces that send no redirects, for IPv4.
 */
export function forwardings(
  { args, make }: DirectorScope,
  dependsOn: pulumi.Resource,
  redirects?: pulumi.Input<pulumi.Input<string>[]>,
): IpForwarding[] {
  const silent =
    redirects === undefined ? {} : { sendRedirects: false, interfaces: pulumi.output(redirects) };
  const known = knownFamilies(args).map((family) =>
    family === "ipv4"
      ? make(IpForwarding, "forwarding", silent, dependsOn)
      : make(IpForwarding, "forwarding-ipv6", { family }, dependsOn),
  );
  const dependent = vipsOf(args)
    .filter(({ vip }) => typeof vip.address !== "string")
    .map(({ name: vipName, vip }) => {
      const family = pulumi.output(vip.address).apply(familyOf);
      const ofIpv4 = <Value>(value: pulumi.Input<Value>) =>
        pulumi.all([family, value]).apply(([known, given]) => (known === "ipv4" ? given : null));
      const quiet =
        redirects === undefined
          ? {}
          : { sendRedirects: ofIpv4(false), interfaces: ofIpv4(pulumi.output(redirects)) };
      return make(IpForwarding, `forwarding-${vipName}`, { family, ...quiet } as never, dependsOn);
    });
  return [...known, ...dependent];
}
