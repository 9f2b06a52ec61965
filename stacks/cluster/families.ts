import { type Family, familyOf } from "../../src/values/address.js";
import type { ClusterArgs } from "./cluster.js";
import { addressOf, poolsOf, vipsOf } from "./model.js";

/** Returns the address families of a cluster's VIPs and firewall marks. An address that is not known counts as IPv4. */
export function familiesOf(args: ClusterArgs): Family[] {
  const all = [
    ...vipsOf(args).map(({ vip }) => familyOf(addressOf(vip.address) ?? "")),
    ...poolsOf(args).flatMap(({ service }) => (service.family === "ipv6" ? (["ipv6"] as const) : [])),
  ];
  return all.length === 0 ? ["ipv4"] : [...new Set(all)].sort();
}
