import * as classes from "../providers/index.js";
import {
  type Deployment,
  type Entry,
  entriesOf,
  isOurCluster,
  isOurs,
  oursOf,
  sameEntry,
  stackOf,
} from "./deployment.js";
import { heldByOthers } from "./held.js";

/** A resource to declare again. */
export interface Declaration {
  readonly entry: Entry;
  /** URNs that it goes by now. */
  readonly aliases: readonly string[];
  /** URN of its provider, if the program made one. */
  readonly provider?: string;
  /** Where Pulumi got the provider from that somebody else's resource has by default. */
  readonly plugin?: { readonly version?: string; readonly pluginDownloadURL?: string };
}

/** A program made of state: what it declares, which of it `up` is to touch, and what the stack shows. */
export interface Declared {
  readonly resources: readonly Declaration[];
  readonly targets: readonly string[];
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Each is to be there before the next is declared. */
  readonly oneByOne: boolean;
}

/**
 * What takes a stack from `now` back to `before`: every resource of ours of before, what they are parts of, and as targets
 * besides these what has come since. Somebody else's are declared only where ours are parts of them, and are no targets,
 * unless they are components that have gone and ours need them as a place to be. `beyond` says whether what is declared may depend on what is
 * not: the engine then keeps that in its place.
 */
export function declaredAgain(before: Deployment, now: Deployment, beyond = true): Declared {
  const [old, present] = [entriesOf(before), entriesOf(now)];
  const held = heldByOthers(before, now);
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
    if (isPart(entry) && unread(entry) && !held.has(entry.urn)) need(entry.urn);
  // a list in the order of the state has parents and dependencies before what needs them
  const resources = [...old.values()].filter(({ urn }) => needed.has(urn));
  const gone = [...present.values()].filter((entry) => isPart(entry) && !old.has(entry.urn));
  return {
    resources: resources.map((entry) => ({
      entry: reachable(entry, needed, beyond ? present : new Map()),
      aliases: otherNames(entry, present, gone),
      ...providerOf(entry, old),
    })),
    targets: [
      ...resources
        .filter((entry) => isPart(entry) || !(present.has(entry.urn) || isProvider(entry)))
        .map(({ urn }) => urn),
      ...gone.map(({ urn }) => urn).filter((urn) => !held.has(urn)),
    ],
    outputs: stackOf(before)?.outputs ?? {},
    // an engine that does not keep them is not known to keep their order either
    oneByOne: !beyond,
  };
}

/**
 * What must be declared first, because options of the update stand in the way: a resource of ours that is to go, or to be
 * replaced, and is protected or would be left on its host. Undefined where there is none.
 */
export function loosened(before: Deployment, now: Deployment, beyond = true): Declared | undefined {
  const old = oursOf(before);
  const held = [...oursOf(now).values()].filter((entry) => {
    const was = old.get(entry.urn);
    return (entry.protect || entry.retainOnDelete) && !(was && sameEntry(was, entry));
  });
  if (held.length === 0) return undefined;
  const loose = new Map(
    held.map((entry) => [entry.urn, { ...entry, protect: false, retainOnDelete: false }]),
  );
  const resources = (now.resources ?? []).map((entry) =>
    entry.delete ? entry : (loose.get(entry.urn) ?? entry),
  );
  return { ...declaredAgain({ ...now, resources }, now, beyond), targets: [...loose.keys()] };
}

/** Resources of ours that are not as they were: titles are for people to read. */
export function notAsBefore(before: Deployment, now: Deployment): Entry[] {
  const [old, present] = [oursOf(before), oursOf(now)];
  const wrong = [...old.values()].filter((entry) => {
    const is = present.get(entry.urn);
    return !is || !sameEntry(entry, is);
  });
  const left = (now.resources ?? []).filter(
    (entry) => isOurs(entry) && !entry.external && (entry.delete || !old.has(entry.urn)),
  );
  return [...wrong, ...left];
}

const isPart = (entry: Entry): boolean => isOurs(entry) || isOurCluster(entry);
const isProvider = ({ type }: Entry): boolean => type.startsWith("pulumi:providers:");

const isDefault = (provider: string): boolean => /::default(_[^:]*)?$/.test(provider);

/** The URN of a provider that the program made itself. */
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

/** Without dependencies that are neither declared nor there any more. */
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
 * The same thing on the same host may have another name now: it is to be renamed back, not made beside itself. What carries
 * marks of owners on its host changes them by being made and deleted.
 */
const otherNames = (entry: Entry, present: ReadonlyMap<string, Entry>, gone: readonly Entry[]): string[] =>
  present.has(entry.urn) || !isOurs(entry)
    ? []
    : gone
        .filter(({ type, id, external }) => !external && type === entry.type && id === entry.id)
        .filter(({ outputs }) => !settings.has(entry.type) || outputs?.owner === entry.outputs?.owner)
        .map(({ urn }) => urn);

const settings = new Set(
  Object.values(classes)
    .filter(({ definition }) => definition.setting)
    .map(({ definition }) => `pulumi-nodejs:dynamic/lvs:${definition.kind}`),
);
