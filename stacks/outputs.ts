import { share } from "../providers/real-server/index.js";
import type { Place } from "./cluster/places.js";

/** Why a value at another place may not be an output. */
export const noOutput =
  "is an output, and its value decides which resources there are or what they are called; give the value itself";

const shares = Object.keys(share.shape);

const server = (...under: string[]): string[] => [
  ...["address", "address6", "persist", ...shares].map((field) => [...under, field].join(" ")),
  [...under, "connection **"].join(" "),
  [...under, "sysctls *"].join(" "),
];

/**
 * The places that may have an output. `*` is any key, `**` is this value and all inside it. No name of a resource
 * and no choice of resources depends on them.
 */
const places = [
  "adopt",
  "director connection **",
  ...["interface", "dip", "insideInterface", "timeouts *", "syncDaemon *", "sysctls *"].map(
    (f) => `director ${f}`,
  ),
  "directors * connection **",
  ...["interface", "insideInterface", "address", "mcastInterface", "timeouts *", "sysctls *"].map(
    (f) => `directors * ${f}`,
  ),
  ...[
    "version",
    "advertInterval",
    "preempt",
    "preemptDelay",
    "trackInterfaces",
    "trackInterfaces *",
    "garpRefresh",
    "gateways * address",
    "gateways * prefixLength",
  ].map((field) => `vrrp ${field}`),
  "sync *",
  ...["address", "prefixLength", "label", "broadcast", "announce", "shared"].map(
    (field) => `vips * ${field}`,
  ),
  ...["scheduler", "schedulerFlags", "schedulerFlags *", "realServerPort", "persistence *", "drain *"].map(
    (field) => `services * ${field}`,
  ),
  ...[
    "interval",
    "connectTimeout",
    "timeout",
    "rise",
    "fall",
    "action",
    "lastServer",
    "log",
    "slowStart",
  ].map((field) => `services * health ${field}`),
  ...["check", "servers", "sorryServer", "quorum"].map((field) => `services * health ${field} **`),
  ...[...shares, "port", "drain *"].map((field) => `services * members * ${field}`),
  ...server("realServers *"),
  ...server("services * realServers *"),
  "drain *",
  "probe from **",
  ...["status", "contains", "requests", "failures", "timeout", "within", "path", "servers", "header"].map(
    (field) => `probe ${field}`,
  ),
].map((text) => text.split(" "));

/** Returns whether the value at a place may be an output. @internal */
export const mayBeOutput = (at: Place): boolean =>
  places.some((pattern) => {
    const isDeep = pattern.at(-1) === "**";
    const keys = isDeep ? pattern.slice(0, -1) : pattern;
    return (
      (isDeep ? at.length >= keys.length : at.length === keys.length) &&
      keys.every((key, i) => key === "*" || key === at[i])
    );
  });
