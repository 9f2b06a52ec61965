import type { Definition } from "../../providers/engine/define.js";
import { type Bag, checkInputs, hasUnknown, unknownValue } from "../../providers/engine/inputs.js";
import { healthMonitor } from "../../providers/health-monitor/index.js";
import { hostRoute } from "../../providers/host-route.js";
import { ipvsTimeouts } from "../../providers/ipvs-timeouts.js";
import { realServer } from "../../providers/real-server/index.js";
import { syncDaemon } from "../../providers/sync-daemon.js";
import { virtualAddress } from "../../providers/virtual-address.js";
import { virtualService } from "../../providers/virtual-service/index.js";
import { vrrpInstance } from "../../providers/vrrp-instance/index.js";
import { familyOf } from "../../src/values/address.js";
import type { PlacedProblem } from "../../src/values/problem.js";
import { printService } from "../../src/values/service-address.js";
import { gatewaysOf, waysOf } from "../cluster/directors/gateways.js";
import { type Director, daemonsOf, directorsOf, placeOf } from "../cluster/directors/model.js";
import { instanceOf, isTracked, peersOf } from "../cluster/directors/vrrp.js";
import { addressFor, type Pool, type ServiceMember, serverFields } from "../cluster/model.js";
import { addressOf, type Place } from "../cluster/places.js";
import { sorryServerOf } from "../cluster/sorry-server.js";
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
  const { protocol, port, fwmark, family, scheduler, schedulerFlags, persistence } = service;
  const args = { protocol, port, fwmark, family, scheduler, schedulerFlags, persistence };
  const addresses = fwmark === undefined ? vips.map(({ vip }) => ({ address: vip.address })) : [{}];
  return addresses.flatMap((address) =>
    refused(virtualService, { ...args, ...address }, (keys) => [...at, ...keys]),
  );
}

/** Returns where a field of a member in a service comes from. */
function memberPlace(pool: Pool, { at, own, ownAt }: ServiceMember, keys: Place): Place {
  const [field] = keys as [string];
  if (Object.hasOwn(own, field)) return [...ownAt, ...keys];
  if (field === "port")
    return [...pool.at, Object.hasOwn(pool.service, "realServerPort") ? "realServerPort" : "port"];
  if (field === "drain") return pool.service.drain === undefined ? keys : [...pool.at, ...keys];
  return field === "service" ? pool.at : [...at, ...keys];
}

function memberProblems(view: View, pool: Pool, member: ServiceMember): PlacedProblem[] {
  const { service } = pool;
  const { port, fields } = serverFields(view.args, pool, member);
  return textsOf(pool).flatMap((text) => {
    const isMark = service.fwmark !== undefined;
    const vip = isMark ? undefined : text.replace(/^\w+:\/\/\[?|\]?:\d+$/g, "");
    const address = addressFor(member.member, isMark && service.family === "ipv6" ? "::" : vip);
    const known = addressOf(address);
    // Another family is in a rule of its own, which knows `address6`.
    if (vip !== undefined && known !== undefined && familyOf(known) !== familyOf(vip)) return [];
    const args = { service: text, address, port, forwarding: forwardingOf(view), ...fields };
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
  const args = { ...others, ...(hasUnknown(sorryServer) ? {} : sorryServerOf(health, forwardingOf(view))) };
  return textsOf(pool).flatMap((service) =>
    refused(healthMonitor, { service, ...args }, (keys) => [...pool.at, "health", ...keys]),
  );
}

/** Returns the place of a field of a VIP. */
const vipPlace = ({ args }: View, at: Place, keys: Place): Place =>
  typeof args.vips[Number(at[1])] === "string" ? at : [...at, ...keys];

function vipProblems(view: View): PlacedProblem[] {
  const { args, vips } = view;
  // With several directors a VrrpInstance has the VIPs.
  if (args.directors !== undefined) return [];
  const device = directorsOf(args)[0]?.fields.interface ?? unknownValue;
  return vips.flatMap(({ at, vip: { name: _, ...vip } }) =>
    refused(virtualAddress, { interface: device, ...vip }, (keys) =>
      keys[0] === "interface" ? ["director", "interface"] : vipPlace(view, at, keys),
    ),
  );
}

/** Returns where a field of a director's VrrpInstance comes from. */
function instancePlace(view: View, one: Director, [field, i, inner, ...rest]: Place): Place {
  const { args, vips } = view;
  const keys = i === undefined ? [] : [i, ...(inner === undefined ? [] : [inner]), ...rest];
  if (field === "interface") return placeOf(one, "interface");
  if (field === "source") return [...one.at, "address"];
  if (field === "peers") return [...(peersOf(args, one)[Number(i)] ?? one).at, "address"];
  if (field === "addresses" && typeof i === "number") {
    const vip = vips[i];
    const under = inner === undefined ? [] : [inner];
    if (vip) return vipPlace(view, vip.at, under);
    if (inner === "interface") return placeOf(one, "insideInterface");
    const gateway = gatewaysOf(args)[i - vips.length];
    return gateway ? gateway.at : ["vips"];
  }
  if (field === "addresses") return ["vips"];
  return ["vrrp", field as string, ...(field === "trackServices" ? [] : keys)];
}

function instanceProblems(view: View): PlacedProblem[] {
  const { args, vips } = view;
  if (args.directors === undefined || typeof args.vrrp !== "object") return [];
  const trackServices = view.pools.filter(({ service }) => isTracked(args, service)).flatMap(textsOf);
  return directorsOf(args).flatMap((one) =>
    refused(
      vrrpInstance,
      { interface: unknownValue, ...instanceOf(args, vips, one), trackServices },
      (keys) => instancePlace(view, one, keys),
    ),
  );
}

function directorProblems({ args }: View): PlacedProblem[] {
  return directorsOf(args).flatMap((one) => {
    const { timeouts, syncDaemon: daemon } = one.fields;
    const within = (field: string) => (keys: Place) => [...placeOf(one, field), ...keys];
    return [
      ...(typeof timeouts === "object" ? refused(ipvsTimeouts, timeouts, within("timeouts")) : []),
      ...(typeof daemon === "object" ? refused(syncDaemon, daemon, within("syncDaemon")) : []),
      ...daemonsOf(args, one).flatMap((each) => refused(syncDaemon, each, (keys) => ["sync", ...keys])),
    ];
  });
}

const routeProblems = ({ args }: View): PlacedProblem[] =>
  waysOf(args).flatMap(({ at, destination, via }) =>
    refused(hostRoute, { destination, via }, ([field]) =>
      field !== "via" ? at : args.directors === undefined ? ["director", "dip"] : ["vrrp", "gateways"],
    ),
  );

/** What the resources of a cluster refuse, reported at the place in the cluster. @internal */
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
      "what VrrpInstance refuses: one address twice, more than 100 addresses or 20 services with `health`, `preemptDelay` without `preempt`, an `address` of another family than the first VIP's",
    remedy: "see VrrpInstance; `trackServices: false` leaves the services out",
    find: (view) => firstAtEach(instanceProblems(view)),
  },
  {
    refuses:
      "what SyncDaemon, IpvsTimeouts and HostRoute refuse, such as `returnRoutes` of another family than `dip`",
    remedy: "see these resources",
    find: (view) => firstAtEach([...directorProblems(view), ...routeProblems(view)]),
  },
];
