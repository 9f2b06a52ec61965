import { isDeepStrictEqual } from "node:util";

/** A resource in `pulumi stack export`, with the fields that rollback needs. */
export interface Entry {
  readonly urn: string;
  readonly type: string;
  readonly custom?: boolean;
  readonly created?: string;
  readonly id?: string;
  readonly inputs?: Record<string, unknown>;
  readonly outputs?: Record<string, unknown>;
  readonly parent?: string;
  readonly provider?: string;
  readonly dependencies?: readonly string[];
  readonly propertyDependencies?: Readonly<Record<string, readonly string[] | null>>;
  readonly additionalSecretOutputs?: readonly string[];
  readonly protect?: boolean;
  readonly retainOnDelete?: boolean;
  readonly deletedWith?: string;
  /** True if `get` only read it. */
  readonly external?: boolean;
  /** True for the rest of a replaced resource. */
  readonly delete?: boolean;
  readonly initErrors?: readonly string[];
}

/** The part of an export with the resources. */
export interface Deployment {
  readonly manifest?: { readonly time?: string };
  readonly secrets_providers?: { readonly type?: string };
  readonly resources?: readonly Entry[];
  readonly pending_operations?: readonly { readonly resource: Entry; readonly type: string }[];
}

/** The output of `pulumi stack export`. */
export interface Exported {
  readonly version: number;
  readonly deployment: Deployment;
}

const stackType = "pulumi:pulumi:Stack";

/** Returns whether it is a resource of this package. */
export const isOurs = ({ type }: Entry): boolean => type.startsWith("pulumi-nodejs:dynamic/lvs:");

/** Returns whether it is a component of this package. */
export const isOurCluster = ({ type }: Entry): boolean => type.startsWith("lvs:index:");

/** Returns whether a rollback restores it. */
export const isPart = (entry: Entry): boolean => isOurs(entry) || isOurCluster(entry);

/** Returns the URN of the cluster that has a resource, or undefined if none has. */
export function clusterOf({ parent }: Entry, entries: ReadonlyMap<string, Entry>): string | undefined {
  const above = parent === undefined ? undefined : entries.get(parent);
  return above && isOurCluster(above) ? above.urn : undefined;
}

/** Returns the existing resources by URN, without those that wait for their deletion. */
export const entriesOf = ({ resources = [] }: Deployment): Map<string, Entry> =>
  new Map(resources.filter((entry) => !entry.delete).map((entry) => [entry.urn, entry]));

/** Returns the resources of this package by URN, without those that it only reads. */
export const oursOf = (deployment: Deployment): Map<string, Entry> =>
  new Map([...entriesOf(deployment)].filter(([, entry]) => isOurs(entry) && !entry.external));

/** Returns the stack's own entry, which has its outputs. */
export const stackOf = (deployment: Deployment): Entry | undefined =>
  [...entriesOf(deployment).values()].find(({ type }) => type === stackType);

/** Returns the name from the program. */
export const nameIn = (urn: string): string => urn.split("::").slice(3).join("::");

/** Returns the title `RealServer web-rs1`. */
export const titleOf = (urn: string): string =>
  `${(urn.split("::")[2] as string).split(":").at(-1)} ${nameIn(urn)}`;

/** Returns the host in an id, which begins with it. */
export const hostIn = (id: string | undefined): string | undefined => id?.split("/")[0] || undefined;

/** Returns whether two entries are equal in all that hosts have of a resource. */
export const sameEntry = (a: Entry, b: Entry): boolean =>
  isDeepStrictEqual(a.inputs, b.inputs) && a.id === b.id && !a.initErrors?.length && !b.initErrors?.length;

/** A resource that was not restored. */
export interface NotRestored {
  /** The title `RealServer web-rs1`. */
  readonly resource: string;
  readonly urn: string;
  readonly host: string | undefined;
  readonly why: string;
}
