import { showPath } from "../../src/values/problem.js";
import { gatewaysOf } from "../cluster/directors/gateways.js";
import { directorsOf } from "../cluster/directors/model.js";
import { addressOf, type Vip } from "../cluster/places.js";
import { keysOf, type Rule, repeated, textsIn, vipAddress } from "./rule.js";

/**
 * Returns a problem at each name that an earlier entry has. An address stands for a name only beside a name that is
 * the same text. Two equal addresses have a rule of their own.
 */
function sameNames(entries: readonly Pick<Vip, "at" | "name">[], given: readonly (string | undefined)[]) {
  const keyed = entries.map(({ at, name }, i) => ({
    at,
    key: given[i] === undefined && !given.includes(name) ? undefined : name,
  }));
  return repeated(keyed, (name, first) => `${name} is the name of ${first}, too; give each its own name`);
}

/** Rules about what stands twice in a cluster. @internal */
export const duplicates: readonly Rule[] = [
  {
    refuses: "a VIP twice in `vips`",
    remedy: "take one of them out",
    find: ({ vips }) =>
      repeated(
        vips.map((of) => ({ at: of.at, key: vipAddress(of) })),
        (address, first) => `${address} is that of ${first}, too; take one of them out`,
      ),
  },
  {
    refuses: "two VIPs with one `name`",
    remedy: "give each its own name",
    find: ({ vips }) =>
      sameNames(
        vips,
        vips.map(({ vip }) => vip.name),
      ),
  },
  {
    refuses: "one protocol and port twice at one VIP, or one `fwmark` twice",
    remedy: "give one of them another protocol, port or `vips`",
    find: ({ pools }) =>
      repeated(
        pools.flatMap(keysOf),
        (key, first) => `${key} is that of ${first}, too; they need another protocol, port or vips`,
      ),
  },
  {
    refuses: "two real servers with one `name`",
    remedy: "give each its own name",
    find: ({ servers }) =>
      sameNames(
        servers,
        servers.map(({ member }) => member.name),
      ),
  },
  {
    refuses: "two real servers with one address",
    remedy: "take one of them out; services that share it name it in `services[].realServers`",
    find: ({ servers }) =>
      repeated(
        servers.flatMap((of) =>
          (["address", "address6"] as const).map((field) => ({
            at: of.at,
            key: addressOf(of.member[field]),
          })),
        ),
        (address, first) => `${address} is that of ${first}, too; take one of them out`,
      ),
  },
  {
    refuses: "a `vrrp.gateways` or `directors[].address` that is another address of the cluster",
    remedy: "write the director's own address, or a gateway that only VRRP moves",
    find: ({ args, vips, servers }) => {
      const gateways = gatewaysOf(args).map(({ at, gateway: { address } }) => ({
        at,
        key: addressOf(address),
      }));
      const directors = (args.directors === undefined ? [] : directorsOf(args)).map(({ at, fields }) => ({
        at: [...at, "address"],
        key: addressOf(fields.address),
      }));
      const others = servers
        .filter(({ isDirector }) => !isDirector)
        .flatMap(({ at, member }) =>
          [member.address, member.address6].map((address) => ({ at, key: addressOf(address) })),
        );
      // VrrpInstance reports a gateway that is a VIP.
      const all = [
        ...vips.map((of) => ({ at: of.at, key: vipAddress(of) })),
        ...gateways,
        ...directors,
        ...others,
      ];
      return [...gateways, ...directors].flatMap(({ at, key }, i) => {
        const before = i < gateways.length ? others : [...all.slice(0, vips.length + i), ...others];
        const same = key === undefined ? undefined : before.find((other) => other.key === key);
        return same
          ? [{ at, reason: `${key} is that of ${showPath(same.at)}, too; give each its own address` }]
          : [];
      });
    },
  },
  {
    refuses: "one name twice in `services[].realServers`",
    remedy: "take one of them out",
    find: ({ pools }) =>
      pools.flatMap(({ at, service }) =>
        repeated(
          textsIn(service.realServers).map(([i, key]) => ({ at: [...at, "realServers", i], key })),
          (name, first) => `${name} is that of ${first}, too; take one of them out`,
        ),
      ),
  },
];
