import { addressBits, familyOf } from "../../src/values/address.js";
import type { Problem } from "../../src/values/problem.js";
import type { VrrpSettings } from "../../src/vrrp/instance.js";

/** The fields of an instance that rules cross. */
type Fields = Pick<
  VrrpSettings,
  | "interface"
  | "version"
  | "peers"
  | "source"
  | "preempt"
  | "preemptDelay"
  | "trackInterfaces"
  | "trackServices"
> & {
  /** Undefined stands for the default. */
  readonly advertInterval?: number | undefined;
  readonly addresses: readonly { readonly address: string; readonly prefixLength?: number | undefined }[];
};

const problem = (path: string, reason: string): Problem[] => [{ path, reason }];

/** Returns the values that a list has twice. */
const twice = (path: string, values: readonly string[]): Problem[] =>
  values.flatMap((value, i) =>
    values.indexOf(value) < i ? problem(`${path}[${i}]`, `${value} is named twice`) : [],
  );

/** Returns mistakes of an interval, which a version may not be able to advertise. */
const validateInterval = (version: 2 | 3, interval: number): Problem[] => [
  ...(version === 2 && !Number.isInteger(interval)
    ? problem("advertInterval", `${interval} is not a whole number, which version 2 needs`)
    : []),
  ...(version === 3 && interval > 40.95
    ? problem("advertInterval", `${interval} is above 40.95, the most of version 3`)
    : []),
  ...(Number(interval.toFixed(2)) !== interval
    ? problem("advertInterval", `${interval} has more than two decimal places`)
    : []),
];

/** Returns mistakes of an instance that no single field shows. @internal */
export function validateVrrp({
  addresses,
  version,
  advertInterval,
  peers,
  source,
  preempt,
  preemptDelay,
  ...tracked
}: Fields): Problem[] {
  const family = familyOf(addresses[0]?.address ?? "");
  const isOther = (address: string) => familyOf(address) !== family;
  return [
    ...addresses.flatMap(({ address, prefixLength = 1 }, i) =>
      prefixLength > addressBits(familyOf(address))
        ? problem(`addresses[${i}].prefixLength`, `${prefixLength} is above 32`)
        : [],
    ),
    ...twice(
      "addresses",
      addresses.map(({ address }) => address),
    ),
    ...twice("peers", peers),
    ...twice("trackInterfaces", tracked.trackInterfaces),
    ...tracked.trackInterfaces.flatMap((name, i) =>
      name === tracked.interface
        ? problem(`trackInterfaces[${i}]`, `${name} is the instance's own, which always counts`)
        : [],
    ),
    ...twice("trackServices", tracked.trackServices),
    ...peers.flatMap((peer, i) =>
      isOther(peer) ? problem(`peers[${i}]`, `${peer} is not of the first address's family`) : [],
    ),
    ...(source !== null && isOther(source)
      ? problem("source", `${source} is not of the first address's family`)
      : []),
    ...(version === 2 && family === "ipv6"
      ? problem("version", "2 has no IPv6: use 3, or put an IPv4 address first")
      : []),
    ...(advertInterval === undefined ? [] : validateInterval(version, advertInterval)),
    ...(!preempt && preemptDelay > 0 ? problem("preemptDelay", "is for preempt: true only") : []),
  ];
}
