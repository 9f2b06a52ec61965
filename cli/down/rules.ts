import { isDeepStrictEqual } from "node:util";
import type { Bag } from "../../providers/engine/inputs.js";
import { type Entry, nameIn, titleOf } from "../../rollback/deployment.js";
import type { Group } from "../failover/instances.js";
import type { ClustersPreview, PreviewStep } from "../plan/preview.js";
import type { Silent } from "./silence.js";
import { clusterOfStep, hostsOf } from "./steps.js";

const listed = (all: readonly string[]): string => [...new Set(all)].join(" and ");

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

/** Returns VrrpInstances in the order of their directors. */
const orderOf = (steps: readonly PreviewStep[], state: "oldState" | "newState"): string[] =>
  steps
    .toSorted((a, b) => Number(b[state]?.inputs?.priority) - Number(a[state]?.inputs?.priority))
    .map(({ urn }) => urn);

// Each director depends on the next one. If Pulumi 3.258 leaves one out of a new order, it ends with `Duplicate resource URN`.
const hasSameOrder: Rule = (update) => {
  const { changes, preview } = update;
  for (const cluster of new Set(changes.map((step) => clusterOfStep(step, preview)))) {
    const instances = preview.steps.filter(
      (step) =>
        isInstanceStep(step) && step.oldState && step.newState && clusterOfStep(step, preview) === cluster,
    );
    if (isDeepStrictEqual(orderOf(instances, "oldState"), orderOf(instances, "newState"))) continue;
    const { hosts, why, what } = named(update, changes);
    return `cannot update ${what}: ${why}. Nothing was changed; another order of directors needs each of them, so run again when ${hosts} answers`;
  }
  return undefined;
};

const hasInstance: Rule = (update) => {
  const made = update.changes.find((step) => isInstanceStep(step) && step.op === "create");
  if (!made) return undefined;
  const { hosts, why } = named(update, [made]);
  return `cannot make ${titleOf(made.urn)}: ${why}. Nothing was changed; run again when ${hosts} answers: each director of a new cluster has to`;
};

/** What has to hold for a director to be left out, in the order in which it is reported. */
export const rules: readonly Rule[] = [
  isAllowed,
  isDown,
  isOneThere,
  hasSameAdvertisements,
  hasSameOrder,
  hasInstance,
];
