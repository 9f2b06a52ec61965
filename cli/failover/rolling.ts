import type { FindHost } from "../../providers/engine/engine.js";
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

/**
 * Runs a line on one director after the other, backups first, each while it is held. Stops at the first thing that is
 * not as expected. Returns the exit code.
 */
export async function rollOn(world: RollingWorld, given: Rolling, output: Output): Promise<number> {
  const { find, clock } = world;
  const read = (groups: readonly Group[]) => Promise.all(groups.map((one) => directorsOf(find, one)));
  /** Waits until there is no reason any more. Returns the last one if there always is one. */
  const until = async (reason: () => Promise<string | undefined>, seconds: number) => {
    const end = clock.now() + seconds * 1000;
    for (;;) {
      const why = await reason();
      if (why === undefined || clock.now() >= end) return why;
      await clock.pause();
    }
  };
  let isBegun = false;
  try {
    const groups = chosen(world.groups, given);
    const masters = (await read(groups)).map((directors) => hostOf(masterOf(directors)));
    const hosts = [...new Set(groups.flatMap(({ instances }) => instances.map(({ host }) => host)))];
    const mastered = (host: string) => masters.filter((one) => one === host).length;
    hosts.sort((a, b) => mastered(a) - mastered(b));
    const all = world.groups.filter(({ instances }) => instances.some(({ host }) => hosts.includes(host)));
    for (const [i, host] of hosts.entries()) {
      checkHeld(await read(all));
      const own = groupsOn(world.groups, host);
      const instance = own.flatMap(({ instances }) => instances).find((one) => one.host === host) as Instance;
      const turn = `${host}, ${i + 1} of ${hosts.length}`;
      const stopped = `stopped at ${turn}; it may be held: see it, then run maintenance ${host} --end`;
      output.say(turn);
      const before = await bootIdOf(find, instance);
      const moved = await moveIn(world, { host }, output).catch((error: unknown) => {
        output.say(stopped);
        throw error;
      });
      if (moved === exitCodes["not movable"] && !isBegun) return moved;
      isBegun = true;
      if (moved !== 0) throw new Stopped(stopped);
      // Another run may have held another director since this one looked.
      const why = othersNotServing(await read(own), host);
      if (why !== undefined) {
        output.say(`the command does not run on ${host}: ${why}; see whether there is another run`);
        const released = await moveIn(world, { host, end: true }, output);
        throw new Stopped(released === 0 ? `stopped at ${turn}; it is released` : stopped);
      }
      const { code, isGoingDown } = await world.run(instance, given.line, (line) =>
        output.say(`${host}: ${line}`),
      );
      if (code !== undefined && code !== 0 && !isGoingDown)
        throw new Stopped(
          `the command failed on ${host} (exit code ${code}), and ${host} stays held; mend it, then run maintenance ${host} --end`,
        );
      const trouble = await until(async () => {
        const now = await bootIdOf(find, instance);
        if (now === undefined) return "it does not answer";
        if (isGoingDown && now === before) return "it has not rebooted";
        return notReady(await read(own), host);
      }, readySeconds);
      if (trouble !== undefined)
        throw new Stopped(
          `${host} is not ready to serve after ${readySeconds} s: ${trouble}; mend it, then run maintenance ${host} --end`,
        );
      const released = await moveIn(world, { host, end: true }, output);
      if (released !== 0) throw new Stopped(stopped);
    }
    return 0;
  } catch (error) {
    const isRefused = error instanceof Refused;
    if (!isRefused && !(error instanceof Stopped)) throw error;
    const verb = isBegun ? "go on" : "begin";
    output.say(isRefused ? `cannot ${verb} with ${given.name}: ${error.message}` : error.message);
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
