import { addressOf } from "../cluster/model.js";
import { keysOf, type Rule, repeated, textsIn, vipAddress } from "./rule.js";

// An address stands for a name only beside a name that is the same text. Two equal addresses have a rule of their own.
const nameKey = (given: string | undefined, name: string | undefined, all: (string | undefined)[]) =>
  given === undefined && !all.includes(name) ? undefined : name;

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
      repeated(
        vips.map((of) => ({
          at: of.at,
          key: nameKey(
            of.vip.name,
            of.name,
            vips.map(({ vip }) => vip.name),
          ),
        })),
        (name, first) => `${name} is the name of ${first}, too; give each its own name`,
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
      repeated(
        servers.map((of) => ({
          at: of.at,
          key: nameKey(
            of.member.name,
            of.name,
            servers.map(({ member }) => member.name),
          ),
        })),
        (name, first) => `${name} is the name of ${first}, too; give each its own name`,
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
