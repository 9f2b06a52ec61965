import { familyOf } from "../../src/values/address.js";
import type { PlacedProblem } from "../../src/values/problem.js";
import { gatewaysOf, waysOf } from "../cluster/directors/gateways.js";
import { type Director, directorsOf, placeOf } from "../cluster/directors/model.js";
import { poolsOf } from "../cluster/model.js";
import { addressOf, hostOf, isMap, type Place } from "../cluster/places.js";
import { type Rule, repeated, type View } from "./rule.js";

const given = ({ args }: View, field: string): boolean =>
  (args as unknown as Record<string, unknown>)[field] !== undefined;

/** Returns whether a cluster has `directors`, in a form that the other rules can read. */
const usesVrrp = (view: View): boolean => Array.isArray(view.args.directors) && !given(view, "director");

/** Returns the directors of a cluster with `directors`, if their form is right. */
const directorsUnderVrrp = (view: View): Director[] => (usesVrrp(view) ? directorsOf(view.args) : []);

/** Returns a problem at each of some fields of the cluster that it has. */
const unwanted = (view: View, fields: readonly string[], reason: string): PlacedProblem[] =>
  fields.filter((field) => given(view, field)).map((field) => ({ at: [field], reason }));

/** Fields that a VIP may not have if VRRP moves it, with the reason. */
const fixed: Readonly<Record<string, string>> = {
  label: "a label stays with one director, and VRRP moves the VIP between several; leave it out",
  broadcast: "VRRP gives the VIP no broadcast address; leave it out",
  announce: "VRRP always announces the VIP when it moves; leave it out",
  shared: "VRRP moves the VIP for one cluster only; leave it out, and write all services of the VIP there",
};

const isDefault = (field: string, value: unknown): boolean =>
  value === undefined || value === (field === "announce" ? true : field === "shared" ? false : null);

/** Rules about the directors of a cluster. @internal */
export const directorRules: readonly Rule[] = [
  {
    refuses: "both `director` and `directors`, or neither",
    remedy: "write `director` for one, or `directors` and `vrrp` for several",
    find: (view) => {
      if (given(view, "director") && given(view, "directors"))
        return [{ at: ["directors"], reason: "stands beside director; write all of them in directors" }];
      return given(view, "director") || given(view, "directors")
        ? []
        : [{ at: ["director"], reason: "is missing; write director, or directors with vrrp" }];
    },
  },
  {
    refuses: "`directors` without `vrrp`, or `vrrp`, `sync` or `allowDown` with `director`",
    remedy: "write `vrrp: { routerId: 51 }` beside `directors`; with `director` leave all three out",
    find: (view) => {
      if (given(view, "directors"))
        return given(view, "vrrp") || given(view, "director")
          ? []
          : [{ at: ["vrrp"], reason: "is missing; it says how the VIPs move between directors" }];
      const reason = "is for directors, and there is only one; write directors instead of director";
      return given(view, "director") ? unwanted(view, ["vrrp", "sync", "allowDown"], reason) : [];
    },
  },
  {
    refuses: "one host or one `name` twice in `directors`",
    remedy: "take one of them out, or give each its own name",
    find: (view) => {
      const all = directorsUnderVrrp(view);
      const hosts = repeated(
        all.map(({ at, fields }) => ({ at: [...at, "connection"], key: hostOf(fields.connection) })),
        (host, first) => `${host} is the host of ${first}, too; take one of them out`,
      );
      const isReported = (at: Place) => hosts.some((host) => host.at[1] === at[1]);
      const names = repeated(
        all
          .filter(({ at, own }) => own.name !== undefined || !isReported(at))
          .map(({ at, name }) => ({ at, key: name })),
        (name, first) => `${name} is the name of ${first}, too; give each its own name`,
      );
      return [...hosts, ...names];
    },
  },
  {
    refuses: "one of `directors` whose host or port is an output, without a `name`",
    remedy: "give it a `name`, which the names of resources then contain",
    find: (view) =>
      directorsUnderVrrp(view)
        .filter(({ name, own }) => name === undefined && own.name === undefined)
        .filter(({ at }) =>
          [[], ["host"], ["port"]].some((keys) => view.isOutput([...at, "connection", ...keys])),
        )
        .map(({ at }) => ({
          at: [...at, "connection"],
          reason:
            "has a host or port that is an output, and the names of resources contain it; give it a name",
        })),
  },
  {
    refuses: "`directors` without `interface`, or `vrrp.gateways` without `insideInterface`",
    remedy: "write it for the first one; the others then have the same, unless they have their own",
    find: (view) => {
      const [first] = directorsUnderVrrp(view);
      if (first?.index !== 0) return [];
      return [
        ...(first.fields.interface === undefined ? ["interface"] : []),
        ...(first.fields.insideInterface === undefined && gatewaysOf(view.args).length > 0
          ? ["insideInterface"]
          : []),
      ].map((field) => ({ at: placeOf(first, field), reason: "is missing" }));
    },
  },
  {
    refuses: "`directors[].mcastInterface` without `sync`",
    remedy: "write `sync`, or leave `mcastInterface` out",
    find: (view) =>
      (given(view, "sync") ? [] : directorsUnderVrrp(view))
        .filter(({ own }) => own.mcastInterface !== undefined)
        .map(({ at }) => ({
          at: [...at, "mcastInterface"],
          reason: "is for sync, which is missing; write sync",
        })),
  },
  {
    refuses: "`address` of some of `directors` only",
    remedy: "write the address of each, or of none",
    find: (view) => {
      const all = directorsUnderVrrp(view);
      return all.some(({ own }) => own.address !== undefined)
        ? all
            .filter(({ own }) => own.address === undefined)
            .map(({ at }) => ({
              at: [...at, "address"],
              reason: "is missing; the others have one, and then send advertisements to each other only",
            }))
        : [];
    },
  },
  {
    refuses: "`label`, `broadcast`, `announce: false` or `shared` of a VIP with `directors`",
    remedy: "leave them out; VRRP always announces the VIPs, and one cluster has them",
    find: (view) =>
      usesVrrp(view)
        ? view.vips.flatMap(({ at, vip }) =>
            Object.entries(fixed)
              .filter(([field]) => !isDefault(field, (vip as unknown as Record<string, unknown>)[field]))
              .map(([field, reason]) => ({ at: [...at, field], reason })),
          )
        : [],
  },
  {
    refuses: "two of `vrrp.gateways` of one family, or none of a family of `returnRoutes`",
    remedy: "write one gateway of each family of `returnRoutes`",
    find: (view) => {
      if (!usesVrrp(view)) return [];
      const gateways = gatewaysOf(view.args);
      const twice = repeated(
        gateways.map(({ at, gateway }) => {
          const address = addressOf(gateway.address);
          return { at, key: address && familyOf(address) };
        }),
        (family, first) =>
          `is ${family === "ipv4" ? "IPv4" : "IPv6"}, as ${first} is; write one gateway of each family`,
      );
      const { returnRoutes } = view.args as { returnRoutes?: unknown };
      const ways = waysOf(view.args).map(({ destination }) => destination);
      if (view.isUnknown(["vrrp"]) || view.isUnknown(["vrrp", "gateways"]) || !Array.isArray(returnRoutes))
        return twice;
      if (returnRoutes.length > 0 && gateways.length === 0 && isMap(view.args.vrrp))
        return [{ at: ["vrrp", "gateways"], reason: "is missing; returnRoutes go through these addresses" }];
      return [
        ...twice,
        ...returnRoutes.flatMap((destination, i) =>
          typeof destination !== "string" || ways.includes(destination) || gateways.length === 0
            ? []
            : [
                {
                  at: ["returnRoutes", i],
                  reason: `no address of vrrp.gateways has the family of ${destination}; write one there`,
                },
              ],
        ),
      ];
    },
  },
  {
    refuses: "`localnode: true` of a real server that is not one of `directors` by its connection or address",
    remedy:
      "write the connection of one of the directors, or its address in `directors[].address`, or leave `localnode` out",
    find: (view) => {
      if (!usesVrrp(view)) return [];
      const all = directorsOf(view.args);
      const isKnown = all.every(({ fields }) => hostOf(fields.connection) !== undefined);
      // Another rule reports what is wrong by itself.
      const isWrong = (at: Place) => view.isUnknown(at) && !view.isOutput(at);
      const wrong = all.some(({ at }) => isWrong([...at, "connection"]) || isWrong([...at, "address"]));
      return view.servers
        .filter(({ isDirector, director }) => isDirector && director === undefined && !wrong)
        .filter(({ at }) => !isWrong([...at, "connection"]) && !isWrong([...at, "address"]))
        .map(({ at, member: { connection } }) => {
          const sure = isKnown && hostOf(connection) !== undefined;
          const reason = sure
            ? "is not one of directors, and localnode is true; write the connection of a director"
            : "which of directors it is cannot be seen; write the connection of one, or its address in directors[].address";
          return { at: [...at, sure ? "connection" : "localnode"], reason };
        });
    },
  },
  {
    refuses: "a service whose real servers are other directors only, on one of `directors`",
    remedy: "name a real server that is not a director, or all of the directors",
    find: (view) =>
      directorsUnderVrrp(view).flatMap(({ index, name }) =>
        poolsOf(view.args, index)
          .filter(
            ({ members, index: service }) =>
              members.length === 0 && (view.pools[service]?.members ?? []).length > 0,
          )
          .map(({ at }) => ({
            at,
            reason: `has no real server on ${name}: a director serves only while it has the VIPs; name another real server, too`,
          })),
      ),
  },
];
