import type { Clock } from "../../providers/engine/clock.js";
import type { FindHost } from "../../providers/engine/runner.js";
import { HostError, withoutToken } from "../../src/errors.js";
import { step } from "../../src/host/step.js";
import { holdFile } from "../../src/vrrp/instance.js";
import { countOn, hostOf, type Known } from "./director.js";
import type { Move } from "./moves.js";

/** The addresses did not move in time, and the move was undone. */
export class NotMoved extends Error {}

/** The result of a move. */
export interface Moved {
  /** The director that has the addresses now, if they moved. */
  readonly to?: string;
  readonly seconds: number;
}

/** Holds or releases an instance on its host. */
async function setHold(
  find: FindHost,
  { instance }: Known,
  verb: "hold" | "yield" | "release",
): Promise<void> {
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
          : `${holdFile(name)} ${wanted ? "is not" : "is still"} there`,
    })
    .catch((failure: unknown) => {
      const error = withoutToken(failure);
      if (!(error instanceof HostError)) throw error;
      throw new Error(error.of(`cannot ${verb} vrrp/${name.replace(/-(?=\d+$)/, "/")}`), { cause: error });
    });
}

/**
 * Waits until one target has every address and no other director has one. The old master must answer, because it could
 * have them still.
 *
 * @throws NotMoved if it takes too long. It names those that do not answer.
 */
async function waitForMove(
  find: FindHost,
  { from, targets, hold, release, seconds }: Move,
  clock: Clock,
): Promise<Known> {
  const all = [...new Set([from, ...targets, ...hold, ...release].filter((one) => one !== undefined))];
  const end = clock.now() + seconds * 1000;
  for (;;) {
    const counts = await Promise.all(all.map((one) => countOn(find, one)));
    const silent = all.filter((_, i) => counts[i] === undefined);
    const having = all.filter((_, i) => (counts[i] ?? 0) > 0);
    const [first] = having;
    const isComplete = first && counts[all.indexOf(first)] === first.settings.addresses.length;
    const one = isComplete && having.length === 1 && targets.includes(first) ? first : undefined;
    if (one && !(from && silent.includes(from))) return one;
    await clock.pause();
    if (clock.now() < end) continue;
    const but = silent.map((each) => `${hostOf(each)} does not answer`).join(" and ");
    if (one) throw new NotMoved(`${hostOf(one)} has them, but ${but}; see whether it has them, too`);
    const within = `within ${Math.round(seconds)} s${but && `, and ${but}`}`;
    throw new NotMoved(
      `${targets.map(hostOf).join(" or ")} did not take them ${within}; see journalctl -u keepalived there`,
    );
  }
}

/**
 * Carries a move out. If a move fails, it is undone: directors that it held are released, and those that it released
 * are held again. A move that only releases is not undone, because the hold must end in any case.
 *
 * @throws NotMoved if no target has the addresses in time.
 */
export async function carryOut(find: FindHost, move: Move, clock: Clock): Promise<Moved> {
  const { from, hold, release, yields } = move;
  const undo: (() => Promise<void>)[] = [];
  let began = clock.now();
  try {
    for (const one of release) {
      if (hold.length > 0) undo.unshift(() => setHold(find, one, "hold"));
      await setHold(find, one, "release");
    }
    for (const one of hold) {
      began = clock.now();
      if (!one.isHeld) undo.unshift(() => setHold(find, one, "release"));
      await setHold(find, one, one === from && yields ? "yield" : "hold");
    }
    if (!from) return { seconds: 0 };
    const one = await waitForMove(find, move, clock);
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
