import { type Director, hostOf, isKnown } from "./director.js";
import { masterOf, Refused, unfit } from "./moves.js";

type Groups = readonly (readonly Director[])[];

/** Returns the first reason that groups give. A refusal is one. */
function reasonIn(groups: Groups, reasonOf: (directors: readonly Director[]) => string | undefined) {
  for (const directors of groups) {
    try {
      const why = reasonOf(directors);
      if (why !== undefined) return why;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return error.message;
    }
  }
  return undefined;
}

/** Returns why a host could not serve in place of the others now, or undefined if it could. */
export const notReady = (groups: Groups, host: string): string | undefined =>
  reasonIn(groups, (directors) => {
    const self = directors.find((one) => hostOf(one) === host);
    if (!self || !isKnown(self)) return self?.trouble;
    const master = masterOf(directors);
    if (master !== self) return unfit(self, master);
    // After a reboot it may have the addresses already, by its priority. The others say what it must serve.
    return directors.flatMap((one) => (one !== self && isKnown(one) ? (unfit(self, one) ?? []) : []))[0];
  });

/** Returns why others do not serve in place of a host that is held, or undefined if they do. */
export const othersNotServing = (groups: Groups, host: string): string | undefined =>
  reasonIn(groups, (directors) => {
    const master = masterOf(directors);
    if (hostOf(master) === host) return `${host} has the addresses again`;
    return master.isHeld ? `${hostOf(master)}, which has the addresses, is held` : undefined;
  });

/** @throws Refused if a director is held, by an operator or by another run. This run would release it. */
export function checkHeld(groups: Groups): void {
  const held = groups.flat().find((one) => isKnown(one) && one.isHeld);
  if (!held) return;
  const host = hostOf(held);
  throw new Refused(
    `${host} is held, by an operator or another run; release it first (maintenance ${host} --end)`,
  );
}
