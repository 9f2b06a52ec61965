import type { FindHost } from "../../providers/engine/runner.js";
import { HostError } from "../../src/errors.js";
import { openShell } from "../../src/ssh/open-shell.js";
import { exitCodes } from "../exit-codes.js";
import { chosen, inStack, moveIn, type Options, type Output, type World } from "./command.js";
import { answerOf, directorsOf, hostOf } from "./director.js";
import { type Group, groupsOn, type Instance } from "./instances.js";
import { masterOf, Refused } from "./moves.js";
import { checkHeld, notReady, othersNotServing } from "./readiness.js";
import { commandOn, type Ran } from "./remote-command.js";

/** Options of `pulumi-lvs rolling`. */
export interface Rolling extends Omit<Options, "json"> {
  /** The name of an instance, or of a cluster. */
  readonly name: string;
  /** The line of shell that runs on each director. */
  readonly line: string;
}

/** The world in which a command runs on directors. */
export interface RollingWorld extends World {
  run(instance: Instance, line: string, print: (line: string) => void): Promise<Ran>;
}

/** Something is not as expected, and nothing more is done. */
class Stopped extends Error {}

/** Seconds that a director may take until it could serve again, after a reboot too. */
const readySeconds = 1800;

const bootId = "kernel.random.boot_id";

/** Returns what differs after a reboot, or undefined if the host does not answer. */
const bootIdOf = (find: FindHost, instance: Instance): Promise<string | undefined> =>
  answerOf(find, instance, [`sysctl:${bootId}`], (facts) => facts.sysctl(bootId) ?? "");

/** A director whose turn it is. */
interface Turn {
  readonly host: string;
  /** Its place among the others: `director1, 1 of 2`. */
  readonly text: string;
  readonly instance: Instance;
  /** The groups that it takes part in. */
  readonly groups: readonly Group[];
}

const read = ({ find }: World, groups: readonly Group[]) =>
  Promise.all(groups.map((one) => directorsOf(find, one)));

/** Returns the turns of the directors of groups: backups first, then those that have fewer addresses. */
async function turnsOf(world: World, groups: readonly Group[]): Promise<Turn[]> {
  const masters = (await read(world, groups)).map((directors) => hostOf(masterOf(directors)));
  const mastered = (host: string) => masters.filter((one) => one === host).length;
  const instances = groups.flatMap((one) => one.instances);
  const hosts = [...new Set(instances.map(({ host }) => host))].sort((a, b) => mastered(a) - mastered(b));
  return hosts.map((host, i) => ({
    ...{ host, text: `${host}, ${i + 1} of ${hosts.length}`, groups: groupsOn(world.groups, host) },
    instance: instances.find((one) => one.host === host) as Instance,
  }));
}

const mayBeHeld = ({ host, text }: Turn): string =>
  `stopped at ${text}; it may be held: see it, then run maintenance ${host} --end`;

/** Ends the hold of a director. */
async function release(world: World, turn: Turn, output: Output): Promise<void> {
  const released = await moveIn(world, { host: turn.host, end: true }, output);
  if (released !== 0) throw new Stopped(mayBeHeld(turn));
}

/** Stops if the others do not serve: another run may have held another director since this one looked. */
async function checkOthers(world: World, turn: Turn, output: Output): Promise<void> {
  const { host, text, groups } = turn;
  const why = othersNotServing(await read(world, groups), host);
  if (why === undefined) return;
  output.log(`the command does not run on ${host}: ${why}; see whether there is another run`);
  await release(world, turn, output);
  throw new Stopped(`stopped at ${text}; it is released`);
}

/** Runs the line on a director that is held. Returns whether the host goes down. */
async function runOn(world: RollingWorld, turn: Turn, line: string, output: Output): Promise<boolean> {
  const { host, instance } = turn;
  const { code, isGoingDown } = await world.run(instance, line, (one) => output.log(`${host}: ${one}`));
  if (code !== undefined && code !== 0 && !isGoingDown)
    throw new Stopped(
      `the command failed on ${host} (exit code ${code}), and ${host} stays held; mend it, then run maintenance ${host} --end`,
    );
  return isGoingDown;
}

/** Waits until a director could serve again. `before` is its boot id if it goes down, and another one shows that it did. */
async function waitUntilReady(world: World, turn: Turn, before: string | undefined): Promise<void> {
  const { find, clock } = world;
  const { host, instance, groups } = turn;
  const reason = async () => {
    const now = await bootIdOf(find, instance);
    if (now === undefined) return "it does not answer";
    if (now === before) return "it has not rebooted";
    return notReady(await read(world, groups), host);
  };
  const end = clock.now() + readySeconds * 1000;
  for (;;) {
    const why = await reason();
    if (why === undefined) return;
    if (clock.now() >= end)
      throw new Stopped(
        `${host} is not ready to serve after ${readySeconds} s: ${why}; mend it, then run maintenance ${host} --end`,
      );
    await clock.pause();
  }
}

/**
 * Runs a line on one director after the other, backups first, each while it is held. Stops at the first thing that is
 * not as expected. Returns the exit code.
 */
export async function rollOn(world: RollingWorld, given: Rolling, output: Output): Promise<number> {
  let isBegun = false;
  try {
    const turns = await turnsOf(world, chosen(world.groups, given));
    const all = world.groups.filter((group) => turns.some(({ groups }) => groups.includes(group)));
    for (const turn of turns) {
      const { host, instance } = turn;
      checkHeld(await read(world, all));
      output.log(turn.text);
      const bootId = await bootIdOf(world.find, instance);
      const held = await moveIn(world, { host }, output).catch((error: unknown) => {
        output.log(mayBeHeld(turn));
        throw error;
      });
      if (held === exitCodes["not movable"] && !isBegun) return held;
      isBegun = true;
      if (held !== 0) throw new Stopped(mayBeHeld(turn));
      await checkOthers(world, turn, output);
      const isGoingDown = await runOn(world, turn, given.line, output);
      await waitUntilReady(world, turn, isGoingDown ? bootId : undefined);
      await release(world, turn, output);
    }
    return 0;
  } catch (error) {
    const isRefused = error instanceof Refused;
    if (!isRefused && !(error instanceof Stopped)) throw error;
    const verb = isBegun ? "go on" : "begin";
    output.log(isRefused ? `cannot ${verb} with ${given.name}: ${error.message}` : error.message);
    return exitCodes[isRefused && !isBegun ? "not movable" : "not moved"];
  }
}

/** Runs a line on the directors of a stack. Returns the exit code. */
export const roll = (given: Rolling, output: Output): Promise<number> =>
  inStack(given, (world) => {
    const run: RollingWorld["run"] = async ({ connection, host }, line, print) => {
      const stream = await openShell(connection).catch((error: unknown) => {
        if (!(error instanceof HostError)) throw error;
        const why = error.of("cannot run the command");
        throw new Stopped(`${why}; ${host} stays held`);
      });
      return commandOn(stream, line, print);
    };
    return rollOn({ ...world, run }, given, output);
  });
