import type { Facts } from "../../src/facts/facts.js";
import { type Step, step } from "../../src/host/step.js";

/**
 * Whose an object is: a line in /run/pulumi-lvs/owners for each, `project/stack/name KIND ID`. It tells people on the host where
 * a thing comes from, and two stacks that declare the same thing of each other.
 */
export interface Ownership {
  /** `project/stack/name` of the resource that asks. */
  readonly owner: string;
  /** `KIND ID`: what it is about. */
  readonly thing: string;
}

const lineOf = (owner: string, thing: string) => `${owner} ${thing}`;

const holdersOf = (facts: Facts, thing: string): string[] =>
  facts
    .owners()
    .filter((line) => line.endsWith(` ${thing}`))
    .map((line) => line.slice(0, -thing.length - 1));

/** Who owns it, as the host says; undefined where it says nothing. */
export function holderOf(facts: Facts, { owner, thing }: Ownership): string | undefined {
  const holders = holdersOf(facts, thing);
  return holders.includes(owner) ? owner : holders[0];
}

/** Whose marks it carries besides one's own: a handing over that was not finished leaves two. */
export const othersOf = (facts: Facts, { owner, thing }: Ownership): string[] =>
  holdersOf(facts, thing).filter((holder) => holder !== owner);

/** `project/stack` of an owner. */
export const stackOf = (owner: string): string => owner.split("/").slice(0, 2).join("/");

/**
 * Steps around those of a creation or change: the mark comes first, so that nothing is there without one. Where it stays from
 * something that is gone, it goes again if the rest fails.
 */
export function taking(facts: Facts, of: Ownership, isThere: boolean, steps: readonly Step[]): Step[] {
  const mine = lineOf(of.owner, of.thing);
  const others = othersOf(facts, of).map((other) => lineOf(other, of.thing));
  const unmarks = others.map((theirs) => step(["unmark", theirs], ["mark", theirs]));
  if (holderOf(facts, of) !== of.owner) return [...unmarks, step(["mark", mine], ["unmark", mine]), ...steps];
  const stays = others.length === 0 && (isThere || steps.length === 0);
  return [...unmarks, ...(stays ? [] : [step([":"], ["unmark", mine])]), ...steps];
}

/** Steps around those of a deletion: the mark goes last. */
export function leaving(facts: Facts, of: Ownership, steps: readonly Step[]): Step[] {
  const mine = lineOf(of.owner, of.thing);
  return [...steps, ...(holderOf(facts, of) === of.owner ? [step(["unmark", mine], ["mark", mine])] : [])];
}
