import type { automation } from "@pulumi/pulumi";
import type { Deployment } from "../../rollback/deployment.js";
import { exported, pulumiOutput } from "../../rollback/pulumi-cli.js";
import { flagsOf } from "../arguments.js";
import { groupsOf } from "../failover/instances.js";
import { previewOf } from "../plan/preview.js";
import { DirectorDown, keptBecause, leftOut } from "./left-out.js";
import { levelOf } from "./level.js";
import { type Silent, silentByProgram, silentIn } from "./silence.js";

/** Flags by which a person chooses resources. Pulumi takes none of them beside `--exclude`. */
const choosing = new Set(["target", "target-dependents", "target-replace", "exclude", "exclude-dependents"]);

/**
 * One operation at a time. Beside `--exclude` and `--target`, Pulumi 3.258 writes a resource that it leaves alone while
 * it may still write what that one depends on, if the program does not declare it any more. It then ends with `snapshot
 * integrity failure`.
 */
const oneByOne = "--parallel=1";

const allLevel = { silent: new Map(), unlike: new Map() };

/** What a person sets for this run, which decides what it changes. A preview does not refresh, because that reaches hosts. */
const deciding = new Set(["config", "config-path", "replace"]);

const previewFlags = (given: ReturnType<typeof flagsOf>): string[] =>
  given
    .filter(({ name }) => deciding.has(name))
    .map(({ name, value }) => (value === undefined ? `--${name}` : `--${name}=${value}`));

/** Refreshes some resources of a stack. */
async function refreshed(
  stack: automation.Stack,
  urns: readonly string[],
  configFile: string | undefined,
): Promise<void> {
  await pulumiOutput(stack.workspace, [
    ...["refresh", "--yes", "--skip-preview", "--stack", stack.name],
    ...(configFile ? ["--config-file", configFile] : []),
    ...urns.map((urn) => `--target=${urn}`),
  ]);
}

/** How an update goes about directors. */
interface Directions {
  /** Flags of the update. They come after those that a person gave, because the last one counts. */
  readonly flags: readonly string[];
  /** The directors that are left out. */
  readonly hosts: readonly string[];
  /** Returns the flags of one more update after it, or undefined if there is nothing left to do. */
  readonly afterwards?: () => Promise<readonly string[] | undefined>;
}

/**
 * Looks whether each director of a stack answers, before an update. Returns how the update leaves out those that do not.
 *
 * @throws DirectorDown if the update would change one that does not answer, and may not leave it out.
 */
export async function directorsOfUpdate(
  stack: automation.Stack,
  before: Deployment,
  { configFile, rest }: { readonly configFile?: string | undefined; readonly rest: readonly string[] },
  log: (line: string) => void,
): Promise<Directions> {
  const given = flagsOf(rest);
  const has = (name: string) => given.some((flag) => flag.name === name && flag.value !== "false");
  if (given.some(({ name }) => choosing.has(name))) return { flags: [], hosts: [] };
  const groups = groupsOf(before);
  const unreached = await silentIn(groups, { log });
  const isRefreshed = has("refresh");
  const { silent: notRead, unlike } =
    isRefreshed || has("plan") ? allLevel : await levelOf(before, groups, unreached);
  if (unlike.size > 0) {
    log(`refreshing what differs from the state on ${[...unlike.keys()].join(" and ")}`);
    await refreshed(stack, [...unlike.values()].flat(), configFile);
  }
  const known: Silent = new Map([...unreached, ...notRead]);
  if (known.size === 0) return { flags: [], hosts: [] };
  const preview = await previewOf(stack, { configFile, flags: previewFlags(given) });
  const silent = await silentByProgram(known, preview, before, { log });
  const left = leftOut(silent, groups, preview, isRefreshed);
  if (!left) return { flags: [], hosts: [] };
  if (has("plan"))
    throw new DirectorDown(
      `cannot run the plan: ${left.hosts.join(" and ")} does not answer. Nothing was changed; run it when each director does`,
    );
  for (const host of left.hosts) log(`${host} does not answer, and is left out: ${silent.get(host)?.why}`);
  return {
    flags: [...left.urns.map((urn) => `--exclude=${urn}`), oneByOne],
    hosts: left.hosts,
    async afterwards() {
      const kept = keptBecause(left, preview, (await exported(stack)).deployment);
      return kept.length > 0 ? [...kept.map((urn) => `--target=${urn}`), oneByOne] : undefined;
    },
  };
}
