import { parseService } from "../../src/values/service-address.js";
import { type Director, hostOf, isKnown, type Known } from "./director.js";

/** What is done to move addresses. */
export interface Move {
  /** The master that gives them up, or undefined if none moves. */
  readonly from: Known | undefined;
  /** Directors of which one has them afterwards. */
  readonly targets: readonly Known[];
  readonly hold: readonly Known[];
  readonly release: readonly Known[];
  /** Whether the master must give up by a fault, because a director does not preempt. */
  readonly yields: boolean;
  /** Seconds after which it has failed. */
  readonly seconds: number;
}

/** Nothing can be moved, for this reason. */
export class Refused extends Error {}

const listed = (directors: readonly Director[]): string => directors.map(hostOf).join(" and ");

/** What keepalived may need beyond the times of the protocol. */
const margin = 60;

function move(given: Partial<Omit<Move, "yields" | "seconds">>): Move {
  const { from, targets = [], hold = [], release = [] } = given;
  const waits = targets.map(
    ({ settings: { advertInterval, preemptDelay } }) => 4 * advertInterval + preemptDelay,
  );
  return {
    ...{ from, targets, hold, release },
    // A director that is held has 1, and an equal priority takes nothing.
    yields: targets.some(({ settings }) => !settings.preempt || settings.priority === 1),
    seconds: Math.max(0, ...waits) + margin,
  };
}

const isMaster = ({ has, settings }: Known): boolean => has.length === settings.addresses.length;

/**
 * Returns the director that has every address while no other has one.
 *
 * @throws Refused if there is none.
 */
export function masterOf(directors: readonly Director[]): Known {
  const having = directors.filter(isKnown).filter(({ has }) => has.length > 0);
  const [master] = having;
  if (master && having.length === 1 && isMaster(master)) return master;
  const notKnown = directors.filter((one) => !isKnown(one)).map(troubleOf);
  if (!master)
    throw new Refused(
      `no director that answers has the addresses${notKnown.length > 0 ? ` (${notKnown.join("; ")})` : ""}; wait, or see journalctl -u keepalived`,
    );
  throw new Refused(
    having.length > 1
      ? `${listed(having)} have them at once; let advertisements pass between the directors first`
      : `${hostOf(master)} has only a part of them; wait, or see journalctl -u keepalived there`,
  );
}

const troubleOf = (one: Director): string => `${hostOf(one)}: ${isKnown(one) ? "" : one.trouble}`;

/** Returns the tracked services without a server that is up. */
const downOn = ({ settings, health }: Known): string[] =>
  settings.trackServices.filter(
    (service) => ![...(health.get(service)?.values() ?? [])].some((one) => one === "up" || one === "rising"),
  );

/** Returns whether a service is reached by addresses of the instance. A mark may be anything. */
function isOf({ settings }: Known, id: string): boolean {
  const service = parseService(id);
  if (!service) return false;
  return "fwmark" in service || settings.addresses.some(({ address }) => address === service.address);
}

/** Returns what the master serves and the other one does not. */
const lackOn = (one: Known, master: Known): string[] =>
  [...master.table].flatMap(([id, { realServers }]) => {
    if (!isOf(master, id)) return [];
    const there = one.table.get(id);
    if (!there) return [`it does not have the service ${id}`];
    return realServers.size > 0 && there.realServers.size === 0 ? [`it has no real server of ${id}`] : [];
  });

/** Returns why a director cannot serve in place of the master, or undefined if it can. */
export function unfit(one: Director, master: Known): string | undefined {
  if (!isKnown(one)) return one.trouble;
  const [down] = downOn(one);
  if (down !== undefined) return `it has no server of ${down} up; see pulumi refresh, and the monitor there`;
  const [lack] = lackOn(one, master);
  return lack && `${lack}; run pulumi up --refresh first`;
}

const others = (directors: readonly Director[], than: Director): Director[] =>
  directors.filter((one) => one !== than);

/** Returns the move away from a master, to any director that can serve. */
function awayFrom(directors: readonly Director[], master: Known): Move {
  const rest = others(directors, master);
  if (rest.length === 0)
    throw new Refused(`the stack has no other director for them than ${hostOf(master)}; declare one`);
  const ready = rest.filter(isKnown).filter(({ isHeld }) => !isHeld);
  const mayTake = rest.filter((one) => (isKnown(one) ? !one.isHeld : one.mayTake));
  const reasons = rest.flatMap((one) => {
    const isHeld = isKnown(one) && one.isHeld;
    const held = `it is held; release it first (failover --back, or maintenance ${hostOf(one)} --end)`;
    const why = isHeld ? held : unfit(one, master);
    return why === undefined ? [] : [{ one, why }];
  });
  // keepalived chooses among those that are not held, so each of them must be fit.
  if (ready.length === 0 || reasons.some(({ one }) => mayTake.includes(one)))
    throw new Refused(
      reasons.map(({ one, why }) => `${hostOf(one)} cannot take them: ${why}`).join("; and "),
    );
  return move({ from: master, targets: ready, hold: [master] });
}

/** Returns the move of `failover`: to this host, or to the director with the next priority. */
export function failoverOf(directors: readonly Director[], to?: string): Move {
  const master = masterOf(directors);
  if (to === undefined) return awayFrom(directors, master);
  const target = directors.find((one) => hostOf(one) === to);
  if (!target) throw new Refused(`${to} is not a director of it; name one of ${listed(directors)}`);
  if (!isKnown(target)) throw new Refused(`${to} cannot take them: ${target.trouble}`);
  const release = target.isHeld ? [target] : [];
  if (target === master) return move({ release });
  const why = unfit(target, master);
  if (why !== undefined) throw new Refused(`${to} cannot take them: ${why}`);
  // The master comes last, so that the others are backups of last resort by then.
  const rest = others(directors, target).filter(isKnown);
  const hold = [...rest.filter((one) => one !== master && !one.isHeld), master];
  return move({ from: master, targets: [target], hold, release });
}

/** Returns the move of `maintenance` of a host. */
export function maintenanceOf(directors: readonly Director[], host: string): Move {
  const self = directors.find((one) => hostOf(one) === host);
  if (!self || !isKnown(self)) throw new Refused(self ? self.trouble : `${host} is not a director of it`);
  if (self.has.length > 0 && masterOf(directors) === self) return awayFrom(directors, self);
  // One that is held already, too: it may be in FAULT by a yield that was killed.
  return move({ hold: [self] });
}

/**
 * Returns the release of one host, or of all that are held, with the move that follows.
 *
 * @throws Refused if the host does not answer, or would take the addresses and could not serve.
 */
export function releaseOf(directors: readonly Director[], host?: string): Move {
  const self = directors.find((one) => hostOf(one) === host);
  if (self && !isKnown(self)) throw new Refused(`${host} cannot be released: ${self.trouble}`);
  const known = directors.filter(isKnown);
  const release = known.filter((one) => one.isHeld && (host === undefined || hostOf(one) === host));
  const priorityOf = (one: Known): number =>
    one.isHeld && !release.includes(one)
      ? 1
      : Math.max(1, one.settings.priority - downOn(one).length * one.settings.priorityDrop);
  const [best] = [...known].sort((a, b) => priorityOf(b) - priorityOf(a));
  const master = known.find(isMaster);
  const moves =
    best && master && best !== master && best.settings.preempt && priorityOf(best) > priorityOf(master);
  if (!moves) return move({ release });
  const why = unfit(best, master);
  if (why !== undefined) throw new Refused(`${hostOf(best)} would take them and cannot serve: ${why}`);
  return move({ release, from: master, targets: [best] });
}
