import { isDeepStrictEqual } from "node:util";
import { isWhole } from "../../providers/engine/flags.js";
import { type Bag, connectionOf } from "../../providers/engine/inputs.js";
import { type Deployment, type Entry, hostIn, isOurs, nameIn, titleOf } from "../../rollback/deployment.js";
import { hostLabel } from "../../src/ssh/connection.js";
import { type Group, isInstance } from "../failover/instances.js";
import { type ClustersPreview, hasMask, type PreviewStep } from "../plan/preview.js";
import type { Silent } from "./silence.js";

/** An update would change a director that does not answer, and nothing is changed. */
export class DirectorDown extends Error {}

/** What an update leaves out. */
interface LeftOut {
  readonly hosts: readonly string[];
  /** The resources on these hosts, of the state and of the program. */
  readonly urns: readonly string[];
}

/** Returns the host of a resource, which the id of ours begins with, or the one that it would get. */
function hostOf(entry: Entry): string | undefined {
  const connection = entry.inputs && connectionOf(entry.inputs);
  const own = isOurs(entry) ? hostIn(entry.id) : undefined;
  return own ?? (typeof connection?.host === "string" ? hostLabel(connection) : undefined);
}

const hostsOf = ({ oldState, newState }: PreviewStep): string[] =>
  [oldState, newState].flatMap((entry) => (entry ? (hostOf(entry) ?? []) : []));

const listed = (all: readonly string[]): string => [...new Set(all)].join(" and ");

/** Returns the URN of the cluster that a resource belongs to, or belonged to. */
const clusterOfStep = (
  { oldState, newState }: PreviewStep,
  { clusters }: ClustersPreview,
): string | undefined =>
  [newState?.parent, oldState?.parent].find((urn) => urn !== undefined && clusters.has(urn));

const unchanged = new Set(["same", "read", "refresh"]);

/** Returns whether a step reaches no host: it changes the connection in the state only. */
function isInStateOnly({ op, oldState, newState }: PreviewStep): boolean {
  if (unchanged.has(op)) return true;
  const [was, is] = [oldState, newState].map((entry) => ({ ...entry?.inputs, connection: undefined }));
  // A masked secret may be another one.
  const isSame = isDeepStrictEqual(was, is) && !hasMask(is);
  return op === "update" && isWhole(oldState?.outputs ?? {}) && isSame;
}

/** Fields of a VrrpInstance by which directors accept each other's advertisements, besides the first address. */
const shared = ["interface", "routerId", "version", "advertInterval", "peers", "source"];

/** Returns the inputs of a VrrpInstance with its first address. */
const instanceOf = ({ inputs = {} }: Entry): Bag => ({
  ...inputs,
  address: (inputs.addresses as { address?: unknown }[] | undefined)?.[0]?.address,
});

/**
 * Returns whether directors with these intervals accept each other's advertisements. With version 3 a backup takes the
 * interval of the master from its advertisements, if one arrives in time: within three of its own.
 */
function isSimilar(was: Bag, is: Bag): boolean {
  const [one, other] = [Number(was.advertInterval), Number(is.advertInterval)];
  return was.version === 3 && is.version === 3 && one < 3 * other && other < 3 * one;
}

/** Returns what changes in the advertisements of a VrrpInstance. */
function advertised({ op, oldState, newState }: PreviewStep): string[] {
  if (!oldState || !newState) return [];
  const [was, is] = [instanceOf(oldState), instanceOf(newState)];
  const fields = [...shared, "address"].filter(
    (name) => !isDeepStrictEqual(was[name], is[name]) && !(name === "advertInterval" && isSimilar(was, is)),
  );
  return fields.length === 0 && op.includes("replace") ? ["host"] : fields;
}

/** An update that would change directors that do not answer. */
interface Update {
  readonly silent: Silent;
  readonly groups: readonly Group[];
  readonly preview: ClustersPreview;
  /** What it would change on them. */
  readonly changes: readonly PreviewStep[];
}

/** Returns the silent hosts of some steps, why they are silent, and the clusters or resources, as text. */
function named({ silent, preview }: Update, steps: readonly PreviewStep[]) {
  const hosts = [...new Set(steps.flatMap(hostsOf))].filter((host) => silent.has(host));
  return {
    hosts: listed(hosts),
    why: hosts.map((host) => `${host} does not answer: ${silent.get(host)?.why}`).join("; "),
    what: listed(steps.map((step) => nameIn(clusterOfStep(step, preview) ?? step.urn))),
  };
}

/** Returns why an update may not leave a director out, or undefined. */
type Rule = (update: Update) => string | undefined;

const isAllowed: Rule = (update) => {
  const { changes, preview } = update;
  const refused = changes.filter((step) => {
    const cluster = clusterOfStep(step, preview);
    return cluster === undefined || preview.clusters.get(cluster)?.allowDown !== true;
  });
  if (refused.length === 0) return undefined;
  const { hosts, why, what } = named(update, refused);
  return `cannot update ${what}: ${why}. Nothing was changed; run again when ${hosts} answers, or write allowDown: true in the cluster`;
};

const isDown: Rule = (update) => {
  const { changes, silent } = update;
  const shut = changes.filter((step) => hostsOf(step).some((host) => silent.get(host)?.isDown === false));
  if (shut.length === 0) return undefined;
  const { why, what } = named(update, shut);
  return `cannot update ${what}: ${why}. Nothing was changed; allowDown is for one that is down`;
};

const isOneThere: Rule = (update) => {
  const { changes, groups, preview, silent } = update;
  const clusters = new Set(changes.flatMap((step) => clusterOfStep(step, preview) ?? []).map(nameIn));
  const dead = groups.find(
    ({ instances }) =>
      instances.some(({ within }) => within.some((name) => clusters.has(name))) &&
      instances.every(({ host }) => silent.has(host)),
  );
  if (!dead) return undefined;
  const why = dead.instances.map(({ host }) => `${host}: ${silent.get(host)?.why}`).join("; ");
  return `cannot update ${named(update, changes).what}: no director of ${dead.address} answers (${why}). Nothing was changed; run again when one does`;
};

const isInstanceStep = ({ urn }: PreviewStep): boolean => urn.includes("/lvs:VrrpInstance::");

const hasSameAdvertisements: Rule = (update) => {
  const changed = update.changes.find((step) => isInstanceStep(step) && advertised(step).length > 0);
  if (!changed) return undefined;
  const { hosts, why, what } = named(update, [changed]);
  return `cannot update ${what}: ${why}. Nothing was changed; with another ${listed(advertised(changed))} it ignores the advertisements of the other directors, so run again when ${hosts} answers`;
};

const hasInstance: Rule = (update) => {
  const made = update.changes.find((step) => isInstanceStep(step) && step.op === "create");
  if (!made) return undefined;
  const { hosts, why } = named(update, [made]);
  return `cannot make ${titleOf(made.urn)}: ${why}. Nothing was changed; run again when ${hosts} answers: each director of a new cluster has to`;
};

/** What has to hold for a director to be left out, in the order in which it is reported. */
const rules: readonly Rule[] = [isAllowed, isDown, isOneThere, hasSameAdvertisements, hasInstance];

/**
 * Returns what an update leaves out, because directors do not answer. `reachesAll` says that it has to reach each host
 * in any case.
 *
 * @throws DirectorDown if it would change such a director, and may not leave it out.
 */
export function leftOut(
  silent: Silent,
  groups: readonly Group[],
  preview: ClustersPreview,
  reachesAll: boolean,
): LeftOut | undefined {
  const steps = preview.steps.filter((step) => hostsOf(step).some((host) => silent.has(host)));
  const changes = reachesAll ? steps : steps.filter((step) => !isInStateOnly(step));
  if (changes.length === 0) return undefined;
  for (const rule of rules) {
    const why = rule({ silent, groups, preview, changes });
    if (why !== undefined) throw new DirectorDown(why);
  }
  const hosts = [...silent.keys()].filter((host) => changes.some((step) => hostsOf(step).includes(host)));
  const isThere = (host: string | undefined) => host !== undefined && hosts.includes(host);
  const urns = [
    ...steps.filter((step) => hostsOf(step).some(isThere)).map(({ urn }) => urn),
    ...preview.before.filter((entry) => isThere(hostOf(entry))).map(({ urn }) => urn),
  ];
  return { hosts, urns: [...new Set(urns)] };
}

/**
 * Returns the resources on other directors that Pulumi has kept although the program does not declare them, because what
 * was left out depends on them. Those on real servers stay: a director that comes back sends clients there.
 */
export function keptBecause({ hosts }: LeftOut, preview: ClustersPreview, state: Deployment): string[] {
  const gone = new Set(preview.steps.flatMap(({ op, urn }) => (op === "delete" ? [urn] : [])));
  const others = new Set(preview.before.filter(isInstance).flatMap((entry) => hostOf(entry) ?? []));
  for (const host of hosts) others.delete(host);
  const kept = (state.resources ?? []).filter(
    (entry) => isOurs(entry) && (entry.delete || gone.has(entry.urn)) && others.has(hostOf(entry) ?? ""),
  );
  return [...new Set(kept.map(({ urn }) => urn))];
}
