import type { automation } from "@pulumi/pulumi";
import type { Clock } from "../../providers/engine/clock.js";
import type { FindHost } from "../../providers/engine/runner.js";
import type { Deployment, Entry } from "../../rollback/deployment.js";
import { exported, stateOf } from "../../rollback/pulumi-cli.js";
import { withSecrets } from "../../rollback/secrets.js";
import { type Host, hostOf as hostAt } from "../../src/host/host.js";
import { exitCodes } from "../exit-codes.js";
import { stackAt } from "../project.js";
import { carryOut, NotMoved } from "./carry-out.js";
import { type Director, directorsOf, hostOf, isKnown } from "./director.js";
import { type Group, groupsOf, groupsOn, isInstance, namedBy } from "./instances.js";
import { failoverOf, type Move, maintenanceOf, Refused, releaseOf } from "./moves.js";
import { afterText, beforeText, type Report, rowsOf } from "./text.js";

/** Options of all these commands. */
export interface Options {
  readonly stack?: string;
  readonly cwd?: string;
  readonly json?: boolean;
}

/** Options of `pulumi-lvs failover`. */
export interface Failover extends Options {
  /** The name of an instance, or of a cluster. */
  readonly name: string;
  /** The host that gets the addresses. */
  readonly to?: string;
  /** Releases the directors. */
  readonly back?: boolean;
}

/** Options of `pulumi-lvs maintenance`. */
export interface Maintenance extends Options {
  readonly host: string;
  /** Releases the host. */
  readonly end?: boolean;
}

/** How a command prints. */
export interface Output {
  readonly print: (text: string) => Promise<void>;
  readonly log: (line: string) => void;
}

/** Half a second between two queries. */
const clock: Clock = {
  now: () => performance.now(),
  pause: () => new Promise((resolve) => setTimeout(resolve, 500)),
  print: () => undefined,
};

/** A group with what is to be done. */
interface Task {
  readonly group: Group;
  readonly directors: readonly Director[];
  readonly move: Move;
}

/** The world in which a command moves addresses. */
export interface World {
  readonly groups: readonly Group[];
  readonly find: FindHost;
  readonly clock: Clock;
}

const alternatives = (names: readonly string[]): string =>
  names.length === 0 ? "it has no VrrpInstance" : `it has ${[...new Set(names)].sort().join(", ")}`;

/** Returns the groups that a command is about. */
export function chosen(groups: readonly Group[], given: Pick<Failover, "name"> | Maintenance): Group[] {
  const instances = groups.flatMap((one) => one.instances);
  if ("host" in given) {
    const found = groupsOn(groups, given.host);
    if (found.length > 0) return found;
    const hosts = instances.map(({ host }) => host);
    throw new Refused(
      `cannot find ${given.host}: the stack has no VrrpInstance on it; ${alternatives(hosts)}`,
    );
  }
  const found = namedBy(groups, given.name);
  if (found.length > 0) return found;
  const names = instances.flatMap(({ resource, within }) => [resource, ...within.slice(0, -1)]);
  throw new Refused(
    `cannot find ${given.name}: the stack has no VrrpInstance or cluster of this name; ${alternatives(names)}`,
  );
}

function moveOf(given: Failover | Maintenance, directors: readonly Director[]): Move {
  if ("host" in given)
    return given.end ? releaseOf(directors, given.host) : maintenanceOf(directors, given.host);
  return given.back ? releaseOf(directors) : failoverOf(directors, given.to);
}

/** Returns the tasks of a command. All of them are known before the first one begins. */
async function tasksOf(given: Failover | Maintenance, { groups, find }: World, output: Output) {
  const found = await Promise.all(
    chosen(groups, given).map(async (group) => ({ group, directors: await directorsOf(find, group) })),
  );
  if (!given.json)
    for (const { group, directors } of found) await output.print(beforeText(group, rowsOf(directors)));
  const tasks = found.map(({ group, directors }): Task => {
    try {
      return { group, directors, move: moveOf(given, directors) };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      throw new Refused(`cannot move ${group.address}: ${error.message}`, { cause: error });
    }
  });
  const masters = new Set(tasks.flatMap(({ move }) => move.from?.instance.host ?? []));
  if ("name" in given && !given.back && given.to === undefined && masters.size > 1)
    throw new Refused(
      `cannot move ${given.name}: its addresses are on ${[...masters].join(" and ")}; name the director that gets all by --to`,
    );
  return tasks;
}

async function run({ group, directors, move }: Task, { find, clock }: World): Promise<Report> {
  const { address, routerId } = group;
  const from = move.from?.instance.host;
  const moved = await carryOut(find, move, clock).catch((error: unknown) => {
    if (!(error instanceof NotMoved)) throw error;
    throw new NotMoved(`cannot move ${address} from ${from}: ${error.message}`, { cause: error });
  });
  const after = rowsOf(await directorsOf(find, group));
  return {
    ...{ address, routerId, ...(from && moved.to ? { from } : {}), ...moved },
    ...{ before: rowsOf(directors), after },
  };
}

/** Moves addresses in a world. Returns the exit code. */
export async function moveIn(world: World, given: Failover | Maintenance, output: Output): Promise<number> {
  const reports: Report[] = [];
  const notKnown = new Map<string, string>();
  const printJson = () => (given.json ? output.print(JSON.stringify(reports, null, 2)) : undefined);
  try {
    for (const task of await tasksOf(given, world, output)) {
      const report = await run(task, world);
      for (const one of task.directors) if (!isKnown(one)) notKnown.set(hostOf(one), one.trouble);
      reports.push(report);
      if (!given.json) await output.print(afterText(report));
    }
  } catch (error) {
    await printJson();
    const isRefused = error instanceof Refused;
    if (!isRefused && !(error instanceof NotMoved)) throw error;
    output.log(error.message);
    return exitCodes[isRefused ? "not movable" : "not moved"];
  }
  await printJson();
  if (!("name" in given && given.back) || notKnown.size === 0) return 0;
  for (const [host, trouble] of notKnown)
    output.log(`${host} may still be held, and is not released: ${trouble}`);
  return exitCodes["not moved"];
}

/** A part of a resource of the state that a command reads. */
type Reading = (entry: Entry) => unknown;

/** Returns how a director is reached. */
export const directorConnection: Reading = (entry) =>
  isInstance(entry) ? entry.outputs?.connection : undefined;

/** Returns whether a command reads a secret of the state. */
export function readsSecret({ resources = [] }: Deployment, reading: Reading): boolean {
  let isSecret = false;
  withSecrets(resources.map(reading), () => {
    isSecret = true;
  });
  return isSecret;
}

/** Returns the state of a stack. Secrets are decrypted only if the command reads one. */
async function deploymentOf(stack: automation.Stack, reading: Reading): Promise<Deployment> {
  const { deployment } = await exported(stack);
  return readsSecret(deployment, reading) ? stateOf(stack) : deployment;
}

/** Does something with hosts, and closes the connections. */
export async function withHosts<T>(work: (find: FindHost) => Promise<T>): Promise<T> {
  const used = new Set<Host>();
  const find: FindHost = (connection, label) => {
    const host = hostAt(connection, label);
    used.add(host);
    return host;
  };
  // A connection does not keep the process alive.
  const alive = setInterval(() => undefined, 60_000);
  return work(find).finally(() => {
    clearInterval(alive);
    for (const host of used) host.close();
  });
}

/**
 * Does something with the VRRP instances of a stack, and closes the connections. `reading` is what it reads of the state.
 * Without it, that is how the directors are reached.
 */
export async function inStack<T>(
  { stack, cwd }: Options,
  work: (world: World, state: Deployment) => Promise<T>,
  reading = directorConnection,
): Promise<T> {
  const state = await deploymentOf(await stackAt(cwd, stack), reading);
  return withHosts((find) => work({ groups: groupsOf(state), find, clock }, state));
}

/** Moves addresses of a stack. Returns the exit code. */
export const moveAddresses = (given: Failover | Maintenance, output: Output): Promise<number> =>
  inStack(given, (world) => moveIn(world, given, output));
