import { isDeepStrictEqual } from "node:util";
import { isWhole } from "../../providers/engine/flags.js";
import { type Deployment, isOurs } from "../../rollback/deployment.js";
import { type Group, isInstance } from "../failover/instances.js";
import { type ClustersPreview, hasMask, type PreviewStep } from "../plan/preview.js";
import { rules } from "./rules.js";
import type { Silent } from "./silence.js";
import { hostOf, hostsOf } from "./steps.js";

/** An update would change a director that does not answer, and nothing is changed. */
export class DirectorDown extends Error {}

/** What an update leaves out. */
interface LeftOut {
  readonly hosts: readonly string[];
  /** The resources on these hosts, of the state and of the program. */
  readonly urns: readonly string[];
}

const unchanged = new Set(["same", "read", "refresh"]);

/** Returns whether a step reaches no host: it changes the connection in the state only. */
function isInStateOnly({ op, oldState, newState }: PreviewStep): boolean {
  if (unchanged.has(op)) return true;
  const [was, is] = [oldState, newState].map((entry) => ({ ...entry?.inputs, connection: undefined }));
  // A masked secret may be another one.
  const isSame = isDeepStrictEqual(was, is) && !hasMask(is);
  return op === "update" && isWhole(oldState?.outputs ?? {}) && isSame;
}

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
