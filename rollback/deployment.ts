import { isDeepStrictEqual } from "node:util";

/** A resource as `pulumi stack export` shows it, as far as it matters here. */
export interface Entry {
  readonly urn: string;
  readonly type: string;
  readonly custom?: boolean;
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
  /** It was only read, by `get`. */
  readonly external?: boolean;
  /** It is what is left of a replaced resource. */
  readonly delete?: boolean;
  readonly initErrors?: readonly string[];
}

/** The part of an export that tells what there is. */
export interface Deployment {
  readonly manifest?: { readonly time?: string };
  readonly secrets_providers?: { readonly type?: string };
  readonly resources?: readonly Entry[];
  readonly pending_operations?: readonly { readonly resource: Entry; readonly type: string }[];
}

/** What `pulumi stack export` prints. */
export interface Exported {
  readonly version: number;
  readonly deployment: Deployment;
}

const stackType = "pulumi:pulumi:Stack";

/** Whether it is a resource of this package. */
export const isOurs = ({ type }: Entry): boolean => type.startsWith("pulumi-nodejs:dynamic/lvs:");

/** Whether it is a component of this package. */
export const isOurCluster = ({ type }: Entry): boolean => type.startsWith("lvs:index:");

/** What is there, by URN, without what waits for its deletion. */
export const entriesOf = ({ resources = [] }: Deployment): Map<string, Entry> =>
  new Map(resources.filter((entry) => !entry.delete).map((entry) => [entry.urn, entry]));

/** Resources of this package by URN, without those that it only reads. */
export const oursOf = (deployment: Deployment): Map<string, Entry> =>
  new Map([...entriesOf(deployment)].filter(([, entry]) => isOurs(entry) && !entry.external));

/** The stack's own entry, which has its outputs. */
export const stackOf = (deployment: Deployment): Entry | undefined =>
  [...entriesOf(deployment).values()].find(({ type }) => type === stackType);

/** The name that the program gave it. */
export const nameIn = (urn: string): string => urn.split("::").slice(3).join("::");

/** `RealServer web-rs1`. */
export const titleOf = (urn: string): string =>
  `${(urn.split("::")[2] as string).split(":").at(-1)} ${nameIn(urn)}`;

/** The host it is on, as ids begin with it. */
export const hostIn = (id: string | undefined): string | undefined => id?.split("/")[0] || undefined;

/** Whether both say the same about a resource that hosts have. */
export const sameEntry = (a: Entry, b: Entry): boolean =>
  isDeepStrictEqual(a.inputs, b.inputs) && a.id === b.id && !a.initErrors?.length && !b.initErrors?.length;

/** Something that is not as it was. */
export interface Left {
  /** `RealServer web-rs1`. */
  readonly resource: string;
  readonly urn: string;
  readonly host: string | undefined;
  readonly why: string;
}
