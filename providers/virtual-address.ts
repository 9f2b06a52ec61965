import { z } from "zod";
import type { Facts } from "../src/facts/facts.js";
import { type AddressEntry, linkNamed } from "../src/facts/ip-lists.js";
import { step } from "../src/host/step.js";
import {
  addressBits,
  addressLabel,
  familyOf,
  hostAddress,
  interfaceName,
  ipAddress,
} from "../src/values/address.js";
import { ranks } from "../src/values/ranks.js";
import { define } from "./engine/define.js";
import { describeDifference } from "./engine/difference.js";
import type { Sharing } from "./engine/inputs.js";
import { missingInterface } from "./engine/missing-interface.js";
import { floatingAddress } from "./vrrp-instance/clashes.js";

/** Arguments of a VirtualAddress. */
export interface VirtualAddressArgs extends Sharing {
  /**
   * Interface for the address, at most 15 characters: `eth0`, or `lo` on a real server. An alternative name
   * (ip-link(8), altname) is understood. A change replaces.
   */
  interface: string;
  /** Virtual IP address (VIP), IPv4 or IPv6. A change replaces. */
  address: string;
  /** Prefix length of its network in bits, 1-32, or 1-128 for IPv6. Default 32 or 128: the address only. */
  prefixLength?: number | undefined;
  /**
   * Name in ifconfig, such as `eth0:1`. It begins with the interface's name (ip-address(8), label). IPv4.
   * Default `null`: the interface's name.
   */
  label?: string | null | undefined;
  /** Broadcast address (ip-address(8), broadcast). IPv4. Default `null`: none. */
  broadcast?: string | null | undefined;
  /**
   * Announce the new address to the neighbours, five times within about five seconds, so that none keeps the
   * old location. IPv4 by gratuitous ARP (arping(8), -U and -A), IPv6 by unsolicited neighbour advertisements
   * (RFC 4861). Not on interfaces without ARP, such as `lo` and dummy devices. Default true.
   */
  announce?: boolean | undefined;
}

/** Outputs of a VirtualAddress besides its arguments. */
export interface VirtualAddressOutputs {
  /**
   * Why the address is not announced to neighbours, at the last refresh or change: `dummy0 does no ARP (NOARP)`. A dummy
   * interface has no neighbours. undefined where it is announced, with `announce: false`, and on `lo`.
   */
  readonly unannounced: string | undefined;
}

/** @internal */
export const key = z.strictObject({ interface: interfaceName, address: hostAddress });

/** @internal */
export const config = z.strictObject({
  prefixLength: z.number().int().min(1).max(128).optional(),
  label: addressLabel.nullable().default(null),
  broadcast: ipAddress.nullable().default(null),
  announce: z.boolean().default(true),
});

type Key = z.output<typeof key>;
type Config = z.output<typeof config>;

const bitsOf = ({ address }: Key) => addressBits(familyOf(address));

// These two stand for a label, which IPv6 does not have.
const preferred = "preferred";
/** The kernel does not use such an address: another machine had it when it was added without `nodad`. */
const duplicate = "dadfailed";

function labelOf({ family, label, interface: of, deprecated, dadfailed }: AddressEntry): string | null {
  if (family === "inet6") return dadfailed ? duplicate : deprecated ? null : preferred;
  return label === undefined || label === of ? null : label;
}

const isAnnounced = (key: Key) => key.interface !== "lo";

const linkOf = (facts: Facts, key: Key) => linkNamed(facts.links(), key.interface);

/** Returns the name by which the host lists the interface. */
const deviceOf = (facts: Facts, key: Key) => linkOf(facts, key)?.ifname ?? key.interface;

const hasNeighbours = (facts: Facts, key: Key) =>
  !linkOf(facts, key)?.flags.some((flag) => flag === "NOARP" || flag === "LOOPBACK");

/** An address. `ip -j addr` shows it, `ip addr add` and `del` change it. @internal */
export const virtualAddress = define({
  kind: "VirtualAddress",
  key,
  config,
  shareable: true,
  rank: ranks.address,

  defaults(key, config) {
    config.prefixLength ??= bitsOf(key);
    if (config.label === key.interface) config.label = null;
  },

  validate(key, { prefixLength = 1, label, broadcast }) {
    const ipv6 = familyOf(key.address) === "ipv6";
    return [
      ...(prefixLength > bitsOf(key)
        ? [{ path: "prefixLength", reason: `${prefixLength} is above ${bitsOf(key)}` }]
        : []),
      ...(ipv6 && label ? [{ path: "label", reason: "is for IPv4 only" }] : []),
      ...(broadcast && (ipv6 || familyOf(broadcast) === "ipv6")
        ? [{ path: "broadcast", reason: "is for IPv4 only" }]
        : []),
      ...(label && label !== key.interface && !label.startsWith(`${key.interface}:`)
        ? [{ path: "label", reason: `${label} does not begin with ${key.interface}:` }]
        : []),
    ];
  },

  id: (key) => `${key.interface}/${key.address}`,

  // Routes that send from the address go with it, unless another interface has it, too.
  contains(key, facts) {
    const device = deviceOf(facts, key);
    if (facts.addresses().some((a) => a.local === key.address && a.interface !== device)) return [];
    const isFrom = (words: readonly string[]) => words[words.indexOf("src") + 1] === key.address;
    return facts.ledger().records.filter(({ words }) => words[0] === "route" && isFrom(words));
  },

  computed: {
    names: ["unannounced"],
    facts: () => ["addresses"],
    read: (facts, key, { announce }) =>
      announce && isAnnounced(key) && !hasNeighbours(facts, key)
        ? { unannounced: `${key.interface} does no ARP (NOARP)` }
        : {},
  },

  facts: () => ["addresses"],

  clashes: ({ address }, _want, facts) => floatingAddress(facts, address),

  refuses(key, want, have, facts) {
    if (!have) return missingInterface(facts, key.interface);
    const at = `${key.address}/${have.prefixLength}`;
    if (have.label === duplicate)
      return {
        reason: `another machine has ${key.address} too: its duplicate address detection failed (dadfailed)`,
        remedy: `remove it on the other machine, then here (ip addr del ${at} dev ${key.interface}), and run \`pulumi up\` again`,
      };
    // To take it over as declared would remove the route to the host's own network.
    if (have.prefixLength !== want.prefixLength)
      return {
        reason: `it exists already, with other settings: ${describeDifference(have, want)}`,
        remedy: `set prefixLength: ${have.prefixLength} if it is the VIP; if it is the host's own address, choose another one for the VIP`,
      };
    return undefined;
  },

  read(facts, key, want) {
    const device = deviceOf(facts, key);
    const found = facts.addresses().find((a) => a.interface === device && a.local === key.address);
    if (!found) return undefined;
    return {
      prefixLength: found.prefixlen,
      // An IPv6 VIP that its host may choose as a source, or does not use, is a difference. An update corrects it.
      label: labelOf(found),
      broadcast: found.broadcast ?? null,
      // The host does not show it.
      announce: want?.announce ?? true,
    };
  },

  record: (key, { prefixLength, broadcast, label, announce }) => [
    ...["address", key.interface, `${key.address}/${prefixLength}`],
    ...(broadcast ? ["broadcast", broadcast] : []),
    ...(label ? ["label", label] : []),
    ...(announce && isAnnounced(key) ? ["announce"] : []),
  ],

  plan(key, want, have, { facts }) {
    const ipv6 = familyOf(key.address) === "ipv6";
    const add = (c: Config) => [
      ...["ip", "addr", "add", `${key.address}/${c.prefixLength}`, "dev", key.interface],
      ...(c.broadcast ? ["broadcast", c.broadcast] : []),
      ...(ipv6 ? lifetime(c) : c.label ? ["label", c.label] : []),
    ];
    // The host never chooses a deprecated address as a source. In all else it works like any other.
    const lifetime = (c: Config) => ["nodad", ...(c.label === preferred ? [] : ["preferred_lft", "0"])];
    const choose = (c: Config) => [
      ...["ip", "addr", "change", `${key.address}/${c.prefixLength}`, "dev", key.interface],
      ...lifetime(c),
      ...(c.label === preferred ? ["preferred_lft", "forever", "valid_lft", "forever"] : []),
    ];
    const remove = (c: Config) => ["drop_address", key.interface, `${key.address}/${c.prefixLength}`];
    const announce =
      want?.announce && isAnnounced(key) && hasNeighbours(facts, key)
        ? [step(["announce", key.interface, key.address], null)]
        : [];
    if (!want) return have ? [step(remove(have), add(have))] : [];
    if (!have) return [step(add(want), remove(want)), ...announce];
    if ((["prefixLength", "label", "broadcast"] as const).every((name) => want[name] === have[name]))
      return announce;
    const [from, to] = [step(remove(have), add(have)), step(add(want), remove(want))];
    if (ipv6 && want.prefixLength === have.prefixLength && have.label !== duplicate)
      return [step(choose(want), choose(have))];
    // An IPv6 address has one prefix.
    if (ipv6) return [from, to, ...announce];
    // An IPv4 address may have two prefixes at a time, so it never disappears.
    if (want.prefixLength !== have.prefixLength) return [to, from, ...announce];
    // Routes that send from an address go with it. So another prefix, without a route of its own, holds the
    // address meanwhile.
    const other = { ...want, prefixLength: want.prefixLength === 32 ? 31 : 32, label: null, broadcast: null };
    const hold = step([...add(other), "noprefixroute"], remove(other));
    const letGo = step(remove(other), [...add(other), "noprefixroute"]);
    return [hold, from, to, letGo, ...announce];
  },
});
