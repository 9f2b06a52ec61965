import type { Definition } from "../../providers/engine/define.js";
import { type Bag, checkInputs, hasUnknown, unknownValue } from "../../providers/engine/inputs.js";
import { healthMonitor } from "../../providers/health-monitor/index.js";
import { hostRoute } from "../../providers/host-route.js";
import { ipvsTimeouts } from "../../providers/ipvs-timeouts.js";
import { realServer } from "../../providers/real-server/index.js";
import { syncDaemon } from "../../providers/sync-daemon.js";
import { virtualAddress } from "../../providers/virtual-address.js";
import { virtualService } from "../../providers/virtual-service.js";
import { familyOf } from "../../src/values/address.js";
import type { PlacedProblem } from "../../src/values/problem.js";
import { printService } from "../../src/values/service-address.js";
import { healthOf } from "../cluster/health.js";
import { addressFor, addressOf, type Place, type Pool, type PoolMember, shareOf } from "../cluster/model.js";
import { firstAtEach, type Rule, type View, vipAddress } from "./rule.js";

/** Returns the keys in a path such as `servers["192.0.2.1:80"].through`. */
const keysIn = (path: string): (string | number)[] =>
  [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(([, quoted, index, word]) =>
    index === undefined ? (word ?? JSON.parse(`"${quoted}"`)) : Number(index),
  );

/** Returns what a resource refuses, each problem at the place in the cluster that its field comes from. */
function refused(definition: unknown, args: object, at: (keys: Place) => Place): PlacedProblem[] {
  const given = { connection: { host: "host" }, ...args } as Bag;
  return checkInputs(definition as Definition, given).problems.map(({ path, reason }) => ({
    at: at(keysIn(path)),
    reason,
  }));
}

const forwardingOf = ({ kind }: View) => (kind === "dr" ? "gatewaying" : "masquerading");

/** Returns the service of a pool at one VIP as text, or undefined if a part is not known. */
function textsOf({ service, vips }: Pool): string[] {
  const { protocol = "tcp", port, fwmark, family = "ipv4" } = service;
  if (typeof fwmark === "number") return [printService({ fwmark, family })];
  if (typeof port !== "number" || hasUnknown(protocol)) return [];
  return vips.flatMap((vip) => {
    const address = vipAddress(vip);
    return address === undefined ? [] : [printService({ protocol, address, port })];
  });
}

function serviceProblems({ at, service, vips }: Pool): PlacedProblem[] {
  const { protocol, port, fwmark, family, scheduler, persistence } = service;
  const args = { protocol, port, fwmark, family, scheduler, persistence };
  const addresses = fwmark === undefined ? vips.map(({ vip }) => ({ address: vip.address })) : [{}];
  return addresses.flatMap((address) =>
    refused(virtualService, { ...args, ...address }, (keys) => [...at, ...keys]),
  );
}

/** Returns where a field of a member in a service comes from. */
function memberPlace(pool: Pool, { at, own, ownAt }: PoolMember, keys: Place): Place {
  const [field] = keys as [string];
  if (Object.hasOwn(own, field)) return [...ownAt, ...keys];
  if (field === "port")
    return [...pool.at, Object.hasOwn(pool.service, "realServerPort") ? "realServerPort" : "port"];
  if (field === "drain") return pool.service.drain === undefined ? keys : [...pool.at, ...keys];
  return field === "service" ? pool.at : [...at, ...keys];
}

function memberProblems(view: View, pool: Pool, member: PoolMember): PlacedProblem[] {
  const { service } = pool as { service: Pool["service"] & { realServerPort?: number } };
  const { port = service.realServerPort ?? service.port ?? 0 } = member.own;
  const drain = member.own.drain ?? service.drain ?? view.args.drain;
  return textsOf(pool).flatMap((text) => {
    const isMark = service.fwmark !== undefined;
    const vip = isMark ? undefined : text.replace(/^\w+:\/\/\[?|\]?:\d+$/g, "");
    const address = addressFor(member.member, isMark && service.family === "ipv6" ? "::" : vip);
    const known = addressOf(address);
    // Another family is in a rule of its own, which knows `address6`.
    if (vip !== undefined && known !== undefined && familyOf(known) !== familyOf(vip)) return [];
    const args = { service: text, address, port, forwarding: forwardingOf(view), ...shareOf(member), drain };
    return refused(realServer, args, (keys) => memberPlace(pool, member, keys)).map(({ at, reason }) => ({
      at,
      reason: at.at(-1) === "port" && view.kind === "dr" ? `${reason}; use kind: nat` : reason,
    }));
  });
}

function healthProblems(view: View, pool: Pool): PlacedProblem[] {
  const { health } = pool.service;
  if (typeof health !== "object" || health === null) return [];
  const { sorryServer, ...others } = health;
  const known = hasUnknown(sorryServer) ? others : health;
  const args = healthOf(known, forwardingOf(view));
  return textsOf(pool).flatMap((service) =>
    refused(healthMonitor, { service, ...args }, (keys) => [...pool.at, "health", ...keys]),
  );
}

const deviceOf = ({ director }: View["args"]): unknown =>
  typeof director === "object" && director !== null ? director.interface : unknownValue;

const vipProblems = ({ args, vips }: View): PlacedProblem[] =>
  vips.flatMap(({ at, vip: { name: _, ...vip } }) =>
    refused(virtualAddress, { interface: deviceOf(args), ...vip }, (keys) =>
      keys[0] === "interface"
        ? ["director", "interface"]
        : typeof args.vips[Number(at[1])] === "string"
          ? at
          : [...at, ...keys],
    ),
  );

function directorProblems({ args: { director } }: View): PlacedProblem[] {
  if (typeof director !== "object" || director === null) return [];
  const parts = [
    { definition: syncDaemon, field: "syncDaemon" as const },
    { definition: ipvsTimeouts, field: "timeouts" as const },
  ];
  return parts.flatMap(({ definition, field }) => {
    const given = director[field];
    return typeof given === "object"
      ? refused(definition, given, (keys) => ["director", field, ...keys])
      : [];
  });
}

function routeProblems({ args }: View): PlacedProblem[] {
  const { returnRoutes, director } = args as { returnRoutes?: unknown; director?: { dip?: unknown } };
  if (!Array.isArray(returnRoutes) || director?.dip === undefined) return [];
  return returnRoutes.flatMap((destination, i) =>
    refused(hostRoute, { destination, via: director.dip }, ([field]) =>
      field === "via" ? ["director", "dip"] : ["returnRoutes", i],
    ),
  );
}

/** What the resources of a cluster refuse, told at the place in the cluster. @internal */
export const resourceRules: readonly Rule[] = [
  {
    refuses:
      "what VirtualService refuses: port 0 without `persistence`, `fwmark` with `port` or `protocol`, neither, a netmask above the family's bits",
    remedy: "see VirtualService",
    find: ({ pools }) => firstAtEach(pools.flatMap(serviceProblems)),
  },
  {
    refuses:
      "what RealServer refuses: `lowerThreshold` above `upperThreshold`, with `kind: dr` another port than the service's",
    remedy: "see RealServer; for another port use `kind: nat`",
    find: (view) =>
      firstAtEach(
        view.pools.flatMap((pool) => pool.members.flatMap((member) => memberProblems(view, pool, member))),
      ),
  },
  {
    refuses:
      "what HealthMonitor refuses: a UDP service without `check.type`, fields of another type of check, a `sorryServer` that cannot be reached",
    remedy: "see HealthMonitor",
    find: (view) => firstAtEach(view.pools.flatMap((pool) => healthProblems(view, pool))),
  },
  {
    refuses:
      "what VirtualAddress refuses: a label that does not begin with the interface, `label` or `broadcast` of an IPv6 VIP, a prefix above the family's bits",
    remedy: "see VirtualAddress",
    find: (view) => firstAtEach(vipProblems(view)),
  },
  {
    refuses:
      "what SyncDaemon, IpvsTimeouts and HostRoute refuse, such as `returnRoutes` of another family than `dip`",
    remedy: "see these resources",
    find: (view) => firstAtEach([...directorProblems(view), ...routeProblems(view)]),
  },
];
