import type { Clock } from "../../providers/engine/clock.js";
import type { FindHost } from "../../providers/engine/engine.js";
import { HostError, withoutToken } from "../../src/errors.js";
import { step } from "../../src/host/step.js";
import { countOn, hostOf, type Living } from "./director.js";
import type { Move } from "./moves.js";

/** The addresses did not move in time. What was held before is so again. */
export class NotMoved extends Error {}

/** What came of a move. */
export interface Moved {
  /** The director that has the addresses now, if they moved. */
  readonly to?: string;
  readonly seconds: number;
}

/** Holds or releases an instance on its host. */
async function set(find: FindHost, { instance }: Living, verb: "hold" | "yield" | "release"): Promise<void> {
  const { connection, host, name } = instance;
  const wanted = verb !== "release";
  const undo = [wanted ? "release_vrrp" : "hold_vrrp", name];
  await find(connection, host)
    .submit({
      owner: "failover",
      facts: [`vrrp:${name}`],
      plan: () => ({ steps: [step([`${verb}_vrrp`, name], undo)] }),
      observe: (facts) => facts.vrrp(name)?.held,
      verify: (facts) =>
        facts.vrrp(name)?.held === wanted
          ? undefined
          : `/run/pulumi-lvs-hold-${name} ${wanted ? "is not" : "is still"} there`,
    })
    .catch((failure: unknown) => {
      const error = withoutToken(failure);
      if (!(error instanceof HostError)) throw error;
      throw new Error(error.of(`cannot ${verb} vrrp/${name.replace(/-(?=\d+$)/, "/")}`), { cause: error });
    });
}

/** Waits until one target has every address and no other director has one. Returns undefined if it takes too long. */
async function arrival(
  find: FindHost,
  { from, targets, hold, release, seconds }: Move,
  clock: Clock,
): Promise<Living | undefined> {
  const all = [...new Set([from, ...targets, ...hold, ...release].filter((one) => one !== undefined))];
  const end = clock.now() + seconds * 1000;
  do {
    const counts = await Promise.all(all.map((one) => countOn(find, one)));
    const having = all.filter((_, i) => counts[i] !== 0);
    const [one] = having;
    if (one && having.length === 1 && targets.includes(one))
      if (counts[all.indexOf(one)] === one.settings.addresses.length) return one;
    await clock.pause();
  } while (clock.now() < end);
  return undefined;
}

/**
 * Carries a move out. If it fails, what it held is released again, and what it released is held.
 *
 * @throws NotMoved if no target has the addresses in time.
 */
export async function carryOut(find: FindHost, move: Move, clock: Clock): Promise<Moved> {
  const { from, targets, hold, release, yields } = move;
  const undo: (() => Promise<void>)[] = [];
  let began = clock.now();
  try {
    for (const one of release) {
      undo.unshift(() => set(find, one, "hold"));
      await set(find, one, "release");
    }
    for (const one of hold) {
      began = clock.now();
      if (!one.isHeld) undo.unshift(() => set(find, one, "release"));
      await set(find, one, one === from && yields ? "yield" : "hold");
    }
    if (!from) return { seconds: 0 };
    const one = await arrival(find, move, clock);
    if (!one)
      throw new NotMoved(
        `${targets.map(hostOf).join(" or ")} did not take them within ${Math.round(move.seconds)} s; see journalctl -u keepalived there`,
      );
    return { to: hostOf(one), seconds: (clock.now() - began) / 1000 };
  } catch (error) {
    const left: string[] = [];
    for (const act of undo) await act().catch(({ message }: Error) => left.push(message));
    if (left.length === 0) throw error;
    const { message } = error as Error;
    const Kind = error instanceof NotMoved ? NotMoved : Error;
    throw new Kind([message, "not undone", ...left].join("; "), { cause: error });
  }
}
