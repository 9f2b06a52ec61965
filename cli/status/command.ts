import { without } from "../../providers/engine/inputs.js";
import type { FindHost } from "../../providers/engine/runner.js";
import { type Deployment, type Entry, isOurs } from "../../rollback/deployment.js";
import { factFailure, HostError } from "../../src/errors.js";
import { FactError } from "../../src/facts/facts.js";
import { readingJob } from "../../src/host/reading.js";
import { plainText } from "../../src/values/foreign.js";
import { exitCodes } from "../exit-codes.js";
import {
  chosen,
  directorConnection,
  inStack,
  type Options,
  type Output,
  type World,
} from "../failover/command.js";
import { directorsOf } from "../failover/director.js";
import type { Group } from "../failover/instances.js";
import { Refused } from "../failover/moves.js";
import { rowsOf } from "../failover/text.js";
import {
  checkFacts,
  commonEntries,
  declaredOn,
  differencesOf,
  driftOn,
  factsFor,
  type Read,
} from "./compare.js";
import { type GroupStatus, groupText, mastersText } from "./text.js";

/** Options of `pulumi-lvs status`. */
export interface Status extends Options {
  /** The name of an instance, or of a cluster. Default: all. */
  readonly name?: string;
}

/** Reads the directors of a group beside the state. One that cannot be read is the reason. */
async function readOf(find: FindHost, state: Deployment, { instances }: Group): Promise<(Read | string)[]> {
  const all = instances.map((instance) => ({ ...instance, declared: declaredOn(state, instance.host) }));
  const names = factsFor(all.flatMap(({ declared }) => declared));
  const job = readingJob("status", [...new Set([...names, "table", "addresses", "daemons"] as const)]);
  return Promise.all(
    all.map(async ({ connection, host, declared }) => {
      try {
        const { facts } = await find(connection, host).submit(job);
        checkFacts({ host, declared, facts });
        return { host, declared, facts };
      } catch (error) {
        const trouble = error instanceof FactError ? factFailure(host, error) : error;
        if (!(trouble instanceof HostError)) throw error;
        return plainText(trouble.reason, 500);
      }
    }),
  );
}

async function statusOf(find: FindHost, state: Deployment, group: Group): Promise<GroupStatus> {
  const { address, routerId } = group;
  const [directors, reads] = await Promise.all([directorsOf(find, group), readOf(find, state, group)]);
  const known = reads.filter((one) => typeof one !== "string");
  const hasSync = known.some(({ declared }) =>
    declared.some(({ definition }) => definition.kind === "SyncDaemon"),
  );
  const rows = rowsOf(directors).map((row, i) => {
    const read = reads[i];
    if (typeof read !== "object") return { ...row, why: row.why ?? read ?? "", drift: [] };
    const drift = driftOn(read.declared, read.facts);
    const sync = hasSync ? { sync: read.facts.daemons().map((daemon) => daemon.state) } : {};
    return { ...row, ...sync, drift };
  });
  const differences = differencesOf(commonEntries(state, group), known);
  return { address, routerId, directors: rows, differences };
}

const isLevel = ({ directors, differences }: GroupStatus): boolean =>
  mastersText(directors) === undefined &&
  differences.length === 0 &&
  directors.every(({ why, drift }) => why === undefined && drift.length === 0);

/** Prints the directors of groups. Returns the exit code. */
export async function statusIn(
  { groups, find }: Pick<World, "groups" | "find">,
  state: Deployment,
  { name, json }: Status,
  { print, log }: Output,
): Promise<number> {
  let of: readonly Group[];
  try {
    of = name === undefined ? groups : chosen(groups, { name });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    log(error.message);
    return 1;
  }
  const all = await Promise.all(of.map((group) => statusOf(find, state, group)));
  if (json) await print(JSON.stringify(all, null, 2));
  else for (const one of all) await print(groupText(one));
  if (all.length === 0) log("the stack has no VrrpInstance");
  return all.every(isLevel) ? 0 : exitCodes["not level"];
}

/** Returns what this command reads of a resource: how a director is reached, and what is compared with it. */
export const comparedInputs = (entry: Entry): unknown => [
  directorConnection(entry),
  isOurs(entry) ? without(entry.inputs ?? {}, ["connection"]) : undefined,
];

/** Prints the directors of a stack. Returns the exit code. */
export const status = (given: Status, output: Output): Promise<number> =>
  inStack(given, (world, state) => statusIn(world, state, given, output), comparedInputs);
