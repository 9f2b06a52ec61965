import { unknownValue } from "../../providers/engine/inputs.js";
import { hostLabel } from "../../src/ssh/connection.js";
import { ipAddress } from "../../src/values/address.js";
import type { VipArgs } from "./args.js";

/** The keys that lead to a value in the arguments. */
export type Place = readonly (string | number)[];

/** A VIP of a cluster and its part of resource names. */
export interface Vip {
  readonly at: Place;
  readonly name: string | undefined;
  readonly vip: VipArgs;
}

// Wrong values and outputs stand as a placeholder while rules are checked.

/** Returns whether a value is a map, which may lead to others. */
export const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Returns the value if it is a list, and otherwise an empty list. */
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Returns an address in canonical text, or undefined if the value is not an address, or is not known yet. */
export const addressOf = (given: unknown): string | undefined => {
  const parsed = ipAddress.safeParse(given);
  return parsed.success ? String(parsed.data) : undefined;
};

/** Returns the name of an entry, or the address that stands for it. */
export const nameIn = ({
  name,
  address,
}: {
  name?: string | undefined;
  address?: unknown;
}): string | undefined => {
  if (name !== undefined) return name === unknownValue ? undefined : name;
  return typeof address === "string" && address !== unknownValue ? address : undefined;
};

/** Returns the host of a connection as ids name it, or undefined if it is not known. */
export function hostOf(connection: unknown): string | undefined {
  const { host, port } = (isMap(connection) ? connection : {}) as { host?: unknown; port?: unknown };
  if (typeof host !== "string" || host === unknownValue) return undefined;
  if (port !== undefined && typeof port !== "number") return undefined;
  return hostLabel({ host, port });
}
