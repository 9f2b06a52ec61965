import type { Facts } from "../src/facts.js";
import { type Step, step } from "../src/step.js";

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

/** Who owns it, as the host says; undefined where it says nothing. */
export function holderOf(facts: Facts, { owner, thing }: Ownership): string | undefined {
  const holders = facts
    .owners()
    .filter((line) => line.endsWith(` ${thing}`))
    .map((line) => line.slice(0, -thing.length - 1));
  return holders.includes(owner) ? owner : holders[0];
}

/** `project/stack` of an owner. */
export const stackOf = (owner: string): string => owner.split("/").slice(0, 2).join("/");

/**
 * Steps around those of a creation or change: the mark comes first, so that nothing is there without one. Where it stays from
 * something that is gone, it goes again if the rest fails.
 */
export function taking(facts: Facts, of: Ownership, isThere: boolean, steps: readonly Step[]): Step[] {
  const holder = holderOf(facts, of);
  const [mine, theirs] = [lineOf(of.owner, of.thing), holder && lineOf(holder, of.thing)];
  if (holder === of.owner) {
    const stays = isThere || steps.length === 0;
    return [...(stays ? [] : [step([":"], ["unmark", mine])]), ...steps];
  }
  return [
    ...(theirs ? [step(["unmark", theirs], ["mark", theirs])] : []),
    step(["mark", mine], ["unmark", mine]),
    ...steps,
  ];
}

/** Steps around those of a deletion: the mark goes last. */
export function leaving(facts: Facts, of: Ownership, steps: readonly Step[]): Step[] {
  const mine = lineOf(of.owner, of.thing);
  return [...steps, ...(holderOf(facts, of) === of.owner ? [step(["unmark", mine], ["mark", mine])] : [])];
}
