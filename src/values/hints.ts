import type { z } from "zod";
import { closest } from "./closest.js";

/** Words of other programs for the values of a field, by the word here. */
const valueWords: Readonly<Record<string, readonly string[]>> = {
  rr: ["roundrobin", "round-robin", "round_robin"],
  wrr: ["weighted-round-robin", "weightedroundrobin"],
  lc: ["leastconn", "least-conn", "least_conn", "leastconnections"],
  wlc: ["weighted-leastconn", "wleastconn"],
  sh: ["source", "iphash", "ip_hash", "source-hash"],
  mh: ["maglev"],
  masquerading: ["masq", "nat"],
  gatewaying: ["gate", "dr", "direct", "route"],
  backup: ["slave"],
  https: ["ssl", "ssl_get"],
  http: ["http_get"],
  tcp: ["connect", "tcp_check"],
  command: ["external", "misc", "misc_check"],
  remove: ["delete"],
};

const meant = (word: string | undefined): string => (word === undefined ? "" : `; did you mean \`${word}\`?`);

/** Returns what to write instead of a value that is not allowed, as the end of a message. */
export function valueHint(given: unknown, allowed: readonly unknown[]): string {
  if (typeof given !== "string") return "";
  const words = allowed.filter((word) => typeof word === "string");
  const other = words.find((word) =>
    (Object.hasOwn(valueWords, word) ? (valueWords[word] ?? []) : []).includes(given.toLowerCase()),
  );
  return meant(other ?? closest(given, words));
}

/** Words of other programs for fields, each with what to write here. */
export type Words = Readonly<Record<string, string>>;

/** Returns the message for a field that does not exist. */
export function unknownField(name: string, known: readonly string[], words: Words = {}): string {
  const reason = "is not a known property";
  if (Object.hasOwn(words, name)) return `${reason}; ${words[name]}`;
  return `${reason}${meant(closest(name, known))}`;
}

const booleans: Readonly<Record<string, boolean>> = { yes: true, on: true, no: false, off: false };

/** Returns how to write a value of the wrong type, as the end of a message. */
export function typeHint(given: unknown, expected: string, shape: z.core.$ZodShape | undefined): string {
  const isScalar = ["string", "number"].includes(typeof given);
  if (typeof given === "string" && /^(number|int)$/.test(expected) && /^-?\d+(\.\d+)?$/.test(given))
    return "; write it without quotes";
  if (typeof given === "string" && expected === "boolean" && /^(true|false)$/.test(given))
    return "; write it without quotes";
  if (typeof given === "string" && expected === "boolean" && Object.hasOwn(booleans, given.toLowerCase()))
    return `; write ${booleans[given.toLowerCase()]}`;
  if (expected === "string" && ["number", "boolean"].includes(typeof given)) return "; write it in quotes";
  if (expected === "array" && isScalar) return "; write it in brackets, [ ], or after a dash";
  if (expected !== "object" || !isScalar || shape === undefined) return "";
  const field = typeof given === "number" ? "timeout" : ["host", "address"].find((name) => name in shape);
  // A text may be a secret at the wrong place.
  return field !== undefined && field in shape
    ? `; write { ${field}: ${typeof given === "number" ? given : "…"} }`
    : "";
}
