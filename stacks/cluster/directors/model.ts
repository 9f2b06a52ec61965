import type * as pulumi from "@pulumi/pulumi";
import type { ClusterArgs } from "../args.js";
import { hostOf, isMap, listOf, nameIn, type Place } from "../places.js";
import type { DirectorArgs, DirectorMember, SyncArgs } from "./args.js";

/** A director of a cluster. */
export interface Director {
  readonly at: Place;
  readonly index: number;
  /** Its part of resource names. Undefined for the one of `director`, or if it is not known. */
  readonly name: string | undefined;
  /** Its fields, with those that it takes from other directors. */
  readonly fields: DirectorArgs &
    Pick<DirectorMember, "address" | "mcastInterface"> & {
      readonly insideInterface?: pulumi.Input<string> | undefined;
      readonly dip?: pulumi.Input<string> | undefined;
    };
  /** The fields of its own. */
  readonly own: Readonly<Record<string, unknown>>;
  /** The places of the fields that it takes from other directors. */
  readonly taken: Readonly<Record<string, Place>>;
}

/** Fields that a director takes from the first one that has them. */
const common = ["interface", "insideInterface", "alongside", "timeouts", "sysctls"];

const given = (map: Record<string, unknown>): [string, unknown][] =>
  Object.entries(map).filter(([, value]) => value !== undefined);

/** Returns the directors of a cluster, the preferred one first. Values may be wrong while rules are checked. */
export function directorsOf({ director, directors }: ClusterArgs): Director[] {
  if (directors === undefined)
    return isMap(director)
      ? [{ at: ["director"], index: 0, name: undefined, fields: director as never, own: director, taken: {} }]
      : [];
  const all = listOf(directors);
  // Earlier directors come later here, so their fields count.
  const shared = all
    .flatMap((own, index) =>
      given(isMap(own) ? own : {}).map(([field, value]) => ({
        field,
        value,
        at: ["directors", index, field],
      })),
    )
    .filter(({ field }) => common.includes(field))
    .reverse();
  const taken = Object.fromEntries(shared.map(({ field, at }) => [field, at]));
  return all.flatMap((own, index) => {
    if (!isMap(own)) return [];
    const { name, connection } = own as { name?: string; connection?: unknown };
    return [
      {
        ...{ at: ["directors", index], index, own, taken },
        name: nameIn({ name, address: hostOf(connection) }),
        fields: {
          ...Object.fromEntries(shared.map(({ field, value }) => [field, value])),
          ...Object.fromEntries(given(own)),
        } as unknown as Director["fields"],
      },
    ];
  });
}

/** Returns the place of a director's field: its own, or that of the director from which it takes it. */
export const placeOf = ({ at, own, taken }: Director, field: string): Place =>
  (own[field] === undefined ? taken[field] : undefined) ?? [...at, field];

/** Returns the two sync daemons of a director, which `sync` gives to each of several. */
export function daemonsOf({ sync, directors }: ClusterArgs, { fields: { mcastInterface } }: Director) {
  if (!isMap(sync) || directors === undefined) return [];
  const fields: SyncArgs = { ...sync, ...(mcastInterface === undefined ? {} : { mcastInterface }) };
  return (["master", "backup"] as const).map((state) => ({ ...fields, state }));
}

/** Returns whether several directors copy each other's connections. */
export const copiesConnections = ({ sync, directors = [] }: ClusterArgs): boolean =>
  sync !== undefined && directors.length > 1;
