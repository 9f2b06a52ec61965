import { familyOf } from "../../src/values/address.js";
import { showPath } from "../../src/values/problem.js";
import { knownFields } from "../cluster/inputs.js";
import { addressFor, serverPort, shareOf } from "../cluster/model.js";
import { addressOf } from "../cluster/places.js";
import { firstAtEach, type Rule, vipAddress } from "./rule.js";

/**
 * Returns the paths of checks through the VIP, which needs gatewaying: `check.through`,
 * `servers["192.168.10.11:80"].through`.
 */
const checksThroughVip = ({ check, servers }: { check?: unknown; servers?: unknown }): string[][] => [
  ...(knownFields(check).through === "vip" ? [["check", "through"]] : []),
  ...Object.entries(knownFields(servers))
    .filter(([, other]) => knownFields(other).through === "vip")
    .map(([server]) => ["servers", server, "through"]),
];

const onlyGatewaying =
  "vip is for gatewaying: with masquerading the real servers do not have the VIP, and no check would be answered";

/** Rules about fields that contradict each other. @internal */
export const contradictions: readonly Rule[] = [
  {
    refuses: "a real server with the address of a VIP",
    remedy: "write the server's own address (RIP)",
    find: ({ vips, servers }) =>
      servers.flatMap(({ at, member }) =>
        (["address", "address6"] as const).flatMap((field) => {
          const address = addressOf(member[field]);
          const same = vips.find((vip) => address !== undefined && vipAddress(vip) === address);
          const reason = `${address} is the VIP of ${same && showPath(same.at)}; write the server's own address (RIP)`;
          return same ? [{ at: [...at, field], reason }] : [];
        }),
      ),
  },
  {
    refuses: "`address6` that is not IPv6, or beside an IPv6 `address`",
    remedy: "write the IPv4 address in `address` and the IPv6 address in `address6`",
    find: ({ servers }) =>
      servers.flatMap(({ at, member }) => {
        const [address, address6] = [addressOf(member.address), addressOf(member.address6)];
        if (address6 !== undefined && familyOf(address6) === "ipv4")
          return [{ at: [...at, "address6"], reason: `${address6} is IPv4; write it in address` }];
        return address6 !== undefined && address !== undefined && familyOf(address) === "ipv6"
          ? [{ at: [...at, "address"], reason: `${address} is IPv6; write an IPv4 address beside address6` }]
          : [];
      }),
  },
  {
    refuses: "a service whose real server has no address of a VIP's family",
    remedy: "give the server `address6`, or name the right servers in `services[].realServers`",
    find: ({ pools }) =>
      firstAtEach(
        pools.flatMap(({ vips, members, at: service }) =>
          members.flatMap(({ at, member }) => {
            const other = vips.find((vip) => {
              const [virtual, own] = [vipAddress(vip), addressOf(addressFor(member, vipAddress(vip)))];
              return virtual !== undefined && own !== undefined && familyOf(virtual) !== familyOf(own);
            });
            // Beside address6 an IPv6 address has a rule of its own.
            const isOwn = member.address6 !== undefined && addressOf(member.address)?.includes(":");
            if (!other || isOwn) return [];
            const [virtual, own] = [vipAddress(other) as string, addressOf(member.address)];
            const wanted =
              familyOf(virtual) === "ipv6"
                ? "give the server address6, an IPv6 address"
                : "write an IPv4 address";
            const reason = `${own} is of another address family than the VIP ${virtual} of ${showPath(service)}; ${wanted}, or name other real servers or vips in the service`;
            return [{ at: [...at, "address"], reason }];
          }),
        ),
      ),
  },
  {
    refuses: "`sysctls` of a real server without `connection`",
    remedy: "write `connection`, or set the sysctls by other means",
    find: ({ servers }) =>
      servers
        .filter(({ member }) => member.sysctls !== undefined && member.connection === undefined)
        .map(({ at }) => ({ at: [...at, "sysctls"], reason: "needs connection: how to reach the server" })),
  },
  {
    refuses: "`health.slowStart` with a real server whose weight is 1",
    remedy: "give all of them weights such as 100",
    find: ({ pools }) =>
      pools
        .filter(({ service }) => Number(service.health?.slowStart ?? 0) > 0)
        .flatMap(({ members }) => members.filter((member) => (shareOf(member).weight ?? 1) === 1))
        .map(({ at }) => ({
          at: [...at, "weight"],
          reason:
            "is 1, with which health.slowStart has nothing to raise; give all of them weights such as 100",
        })),
  },
  {
    refuses: "`services[].health.announce`",
    remedy: "declare VIP, service and HealthMonitor as single resources: [ECMP](ecmp.md)",
    find: ({ pools }) =>
      pools
        .filter(({ service }) => (knownFields(service.health).announce ?? null) !== null)
        .map(({ at }) => ({
          at: [...at, "health", "announce"],
          reason:
            "is not for clusters: the route would be there before the VIP, and after it; declare VIP, service and HealthMonitor as single resources, as docs/ecmp.md does",
        })),
  },
  {
    refuses: "a check through the VIP with `kind: nat`",
    remedy: "leave `through` out: masqueraded servers do not have the VIP",
    find: ({ kind, pools }) =>
      kind === "dr"
        ? []
        : pools.flatMap(({ at, service }) =>
            checksThroughVip(service.health ?? {}).map((path) => ({
              at: [...at, "health", ...path],
              reason: onlyGatewaying,
            })),
          ),
  },
  {
    refuses: "a `sorryServer` that is a real server of the service",
    remedy: "name another server, which answers while they do not",
    find: ({ pools }) =>
      pools.flatMap(({ at, service, members }) => {
        const sorry = knownFields(service.health?.sorryServer);
        const address = addressOf(sorry.address);
        const same = members.find(
          ({ member }) => address !== undefined && addressOf(member.address) === address,
        );
        const isPort = same && (sorry.port ?? service.port) === (same.own.port ?? serverPort(service));
        return same && isPort
          ? [
              {
                at: [...at, "health", "sorryServer", "address"],
                reason: `${address} is ${showPath(same.at)}, too; name a server that is not one of the real servers`,
              },
            ]
          : [];
      }),
  },
  {
    refuses: "`returnRoutes` without `director.dip`",
    remedy: "write `director.dip`, the address that they go through",
    find: ({ args, isUnknown }) => {
      const { returnRoutes, director } = args as { returnRoutes?: unknown[]; director?: { dip?: unknown } };
      const isThere = Array.isArray(returnRoutes) && returnRoutes.length > 0;
      return isThere && director !== undefined && director.dip === undefined && !isUnknown(["director"])
        ? [{ at: ["director", "dip"], reason: "is missing; returnRoutes go through this address" }]
        : [];
    },
  },
];
