import {
  type Deployment,
  type Entry,
  entriesOf,
  isOurs,
  isPart,
  oursOf,
  sameEntry,
  stackOf,
} from "./deployment.js";
import { isOnHost, isSetting } from "./kinds.js";
import { unrestorable } from "./unrestorable.js";

/** A resource to redeclare. */
export interface Declaration {
  readonly entry: Entry;
  /** Its current URNs. */
  readonly aliases: readonly string[];
  /** URN of its provider, if the program made one. */
  readonly provider?: string;
  /** Source of the default provider of another package's resource. */
  readonly plugin?: { readonly version?: string; readonly pluginDownloadURL?: string };
}

/** A program from state: its resources, the targets of `up`, and the stack's outputs. */
export interface Declared {
  readonly resources: readonly Declaration[];
  readonly targets: readonly string[];
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Whether each resource must exist before the next is declared. */
  readonly oneByOne: boolean;
}

/**
 * Returns the program that restores `before`. It declares every pulumi-lvs resource of `before` and their
 * parents, and targets those plus all pulumi-lvs resources created since.
 *
 * It declares resources of other packages only as parents, and does not target them. The exception is a
 * deleted component, because pulumi-lvs resources need it as a parent. `keepsUndeclared` is whether a declared
 * resource may depend on an undeclared one, which the engine then keeps.
 */
export function previousProgram(before: Deployment, now: Deployment, keepsUndeclared = true): Declared {
  const [old, present] = [entriesOf(before), entriesOf(now)];
  const excluded = unrestorable(before, now);
  const needed = new Set<string>();
  const need = (urn: string | undefined): void => {
    const entry = urn === undefined ? undefined : old.get(urn);
    if (!entry || needed.has(entry.urn) || entry === stackOf(before)) return;
    need(entry.parent);
    needed.add(entry.urn);
    need(explicitProvider(entry));
  };
  const unread = (entry: Entry) => !entry.external || !present.has(entry.urn);
  for (const entry of old.values())
    if (isPart(entry) && unread(entry) && !excluded.has(entry.urn)) need(entry.urn);
  // In the order of the state, parents and dependencies come before what needs them.
  const resources = [...old.values()].filter(({ urn }) => needed.has(urn));
  const gone = [...present.values()].filter((entry) => isPart(entry) && !old.has(entry.urn));
  return {
    resources: resources.map((entry) => ({
      entry: reachable(entry, needed, keepsUndeclared ? present : new Map()),
      aliases: otherNames(entry, present, gone),
      ...providerOf(entry, old),
    })),
    targets: [
      ...resources
        .filter((entry) => isPart(entry) || !(present.has(entry.urn) || isProvider(entry)))
        .map(({ urn }) => urn),
      ...gone.map(({ urn }) => urn).filter((urn) => !excluded.has(urn)),
    ],
    outputs: stackOf(before)?.outputs ?? {},
    // Without `keepsUndeclared` the engine may also not keep their order.
    oneByOne: !keepsUndeclared,
  };
}

/**
 * Returns the program to run first if options of the update prevent the rollback. It is for a pulumi-lvs
 * resource to delete or replace that is protected, or would be left on its host. Returns undefined if there
 * is none.
 */
export function withoutProtection(
  before: Deployment,
  now: Deployment,
  keepsUndeclared = true,
): Declared | undefined {
  const old = oursOf(before);
  const locked = [...oursOf(now).values()].filter((entry) => {
    const was = old.get(entry.urn);
    return (entry.protect || entry.retainOnDelete) && !(was && sameEntry(was, entry));
  });
  if (locked.length === 0) return undefined;
  const unlocked = new Map(
    locked.map((entry) => [entry.urn, { ...entry, protect: false, retainOnDelete: false }]),
  );
  const resources = (now.resources ?? []).map((entry) =>
    entry.delete ? entry : (unlocked.get(entry.urn) ?? entry),
  );
  return { ...previousProgram({ ...now, resources }, now, keepsUndeclared), targets: [...unlocked.keys()] };
}

/** Returns the pulumi-lvs resources that differ from their former state. */
export function differentResources(before: Deployment, now: Deployment): Entry[] {
  const [old, present] = [oursOf(before), oursOf(now)];
  const changed = [...old.values()].filter((entry) => {
    const is = present.get(entry.urn);
    return !is || !sameEntry(entry, is);
  });
  const extra = (now.resources ?? []).filter(
    (entry) => isOurs(entry) && !entry.external && (entry.delete || !old.has(entry.urn)),
  );
  return [...changed, ...extra];
}

const isProvider = ({ type }: Entry): boolean => type.startsWith("pulumi:providers:");

const isDefault = (provider: string): boolean => /::default(_[^:]*)?$/.test(provider);

/** Returns the URN of a provider that the program made itself. */
function explicitProvider({ provider }: Entry): string | undefined {
  const urn = provider?.split("::").slice(0, 4).join("::");
  return urn && !isDefault(urn) ? urn : undefined;
}

function providerOf(entry: Entry, old: ReadonlyMap<string, Entry>): Pick<Declaration, "provider" | "plugin"> {
  const provider = explicitProvider(entry);
  if (provider) return { provider };
  if (!entry.provider || isOurs(entry)) return {};
  const { version, pluginDownloadURL } = (old.get(entry.provider.split("::").slice(0, 4).join("::"))
    ?.inputs ?? {}) as Record<string, string | undefined>;
  return { plugin: { ...(version ? { version } : {}), ...(pluginDownloadURL ? { pluginDownloadURL } : {}) } };
}

/** Returns an entry without dependencies that are neither declared nor in state. */
function reachable(entry: Entry, declared: ReadonlySet<string>, present: ReadonlyMap<string, Entry>): Entry {
  const known = (urn: string) => declared.has(urn) || present.has(urn);
  const { deletedWith, dependencies = [], propertyDependencies = {}, ...rest } = entry;
  return {
    ...rest,
    dependencies: dependencies.filter(known),
    propertyDependencies: Object.fromEntries(
      Object.entries(propertyDependencies).map(([name, urns]) => [name, (urns ?? []).filter(known)]),
    ),
    ...(deletedWith && known(deletedWith) ? { deletedWith } : {}),
  };
}

/**
 * Returns the other names of the same thing on the same host, so that it is renamed instead of created a
 * second time. Resources whose host keeps claims, and shared ones, are left out, because those change only by create
 * and delete.
 */
const otherNames = (entry: Entry, present: ReadonlyMap<string, Entry>, gone: readonly Entry[]): string[] =>
  present.has(entry.urn) || !isOnHost(entry)
    ? []
    : gone
        .filter(({ type, id, external }) => !external && type === entry.type && id === entry.id)
        .filter(({ outputs }) => !isClaimed(entry) || outputs?.owner === entry.outputs?.owner)
        .map(({ urn }) => urn);

const isClaimed = (entry: Entry): boolean => isSetting(entry) || entry.outputs?.shared === true;
