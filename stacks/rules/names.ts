import { closest } from "../../src/values/closest.js";
import { type PlacedProblem, show } from "../../src/values/problem.js";
import { isNamed } from "../cluster/model.js";
import type { Place } from "../cluster/places.js";
import { type Rule, textsIn } from "./rule.js";

const did = (word: string | undefined): string => (word === undefined ? "" : `; did you mean \`${word}\`?`);

const unknownName = (
  at: Place,
  given: string,
  what: string,
  names: (string | undefined)[],
): PlacedProblem => {
  const known = names.filter((name) => name !== undefined);
  const reason = `${show(given)} is not a ${what} of this cluster (${known.join(", ")})`;
  return { at, reason: `${reason}${did(closest(given, known))}` };
};

/** Rules about names in `services`, and about what has to have one. @internal */
export const names: readonly Rule[] = [
  {
    refuses: "an address that is an output, of a VIP or a real server without a `name`",
    remedy: "give it a `name`, which the names of resources then contain",
    find: ({ vips, servers, isOutput }) =>
      [
        ...vips.map(({ at, name, vip }) => ({ at, name, given: vip.name })),
        ...servers.map(({ at, name, member }) => ({ at, name, given: member.name })),
      ]
        .filter(
          ({ at, name, given }) => name === undefined && given === undefined && isOutput([...at, "address"]),
        )
        .map(({ at }) => ({
          at: [...at, "address"],
          reason: "is an output, and the names of resources contain the address; give it a name",
        })),
  },
  {
    refuses: "an unknown VIP in `services[].vips`, or `vips` of a service with `fwmark`",
    remedy: "name VIPs of the cluster; a firewall mark names no VIP",
    find: ({ pools, vips, isUnknown }) =>
      pools.flatMap(({ at, service }) => {
        if (service.fwmark !== undefined && service.vips !== undefined)
          return [{ at: [...at, "vips"], reason: "cannot be set with fwmark; leave it out" }];
        // One that is wrong by itself may be the one that is meant.
        const isSure = !isUnknown(["vips"]) && !vips.some((vip) => vip.name === undefined);
        return textsIn(service.vips)
          .filter(([, given]) => isSure && !vips.some((vip) => isNamed(vip, given)))
          .map(([i, given]) =>
            unknownName(
              [...at, "vips", i],
              given,
              "VIP",
              vips.map(({ name }) => name),
            ),
          );
      }),
  },
  {
    refuses: "an unknown name in `services[].realServers` or `services[].members`",
    remedy: "name real servers of the cluster, or declare one in `services[].realServers`",
    find: ({ pools, servers, isUnknown }) =>
      pools.flatMap(({ at, service }) => {
        if (isUnknown(["realServers"]) || servers.some(({ name }) => name === undefined)) return [];
        const shared = servers.filter(({ at }) => at[0] === "realServers").map(({ name }) => name);
        const here = servers.filter((server) => server.at[0] === "realServers" || server.at[1] === at[1]);
        const names = here.map(({ name }) => name);
        return [
          ...textsIn(service.realServers)
            .filter(([, given]) => !shared.includes(given))
            .map(([i, given]) => unknownName([...at, "realServers", i], given, "real server", shared)),
          ...Object.keys(typeof service.members === "object" ? (service.members ?? {}) : {})
            .filter((given) => !names.includes(given))
            .map((given) => unknownName([...at, "members", given], given, "real server", names)),
        ];
      }),
  },
  {
    refuses: "a service without a real server",
    remedy: "write `realServers`, or `services[].realServers`",
    find: ({ args, pools, isUnknown }) =>
      args.realServers === undefined && pools.every(({ service }) => service.realServers === undefined)
        ? [{ at: ["realServers"], reason: "is missing" }]
        : pools
            .filter(
              ({ at, members }) =>
                members.length === 0 && !isUnknown(["realServers"]) && !isUnknown([...at, "realServers"]),
            )
            .filter(({ service }) => textsIn(service.realServers).length === 0)
            .map(({ at }) => ({
              at,
              reason: "has no real server; write realServers of the cluster or of the service",
            })),
  },
];
