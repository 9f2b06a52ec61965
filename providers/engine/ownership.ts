import type { Facts } from "../../src/facts/facts.js";
import { type Step, step } from "../../src/host/step.js";

/**
 * The owner of an object: a line `project/stack/name KIND ID` in /run/pulumi-lvs/owners. It tells people on
 * the host where a thing comes from. By it two stacks that declare the same thing find each other.
 */
export interface Ownership {
  /** `project/stack/name` of the resource. */
  readonly owner: string;
  /** `KIND ID` of the object. */
  readonly thing: string;
}

const lineOf = (owner: string, thing: string) => `${owner} ${thing}`;

const holdersOf = (facts: Facts, thing: string): string[] =>
  facts
    .owners()
    .filter((line) => line.endsWith(` ${thing}`))
    .map((line) => line.slice(0, -thing.length - 1));

/** Returns the owner according to the host, or undefined if it has none. */
export function holderOf(facts: Facts, { owner, thing }: Ownership): string | undefined {
  const holders = holdersOf(facts, thing);
  return holders.includes(owner) ? owner : holders[0];
}

/** Returns the other owners. An interrupted handover leaves two owner marks. */
export const othersOf = (facts: Facts, { owner, thing }: Ownership): string[] =>
  holdersOf(facts, thing).filter((holder) => holder !== owner);

/** Returns `project/stack` of an owner. */
export const stackOf = (owner: string): string => owner.split("/").slice(0, 2).join("/");

/**
 * Returns the steps of a creation or change with those for the owner mark. The mark comes first, so that
 * nothing exists without one. If a mark remains of a thing that is gone, it is removed when the other steps
 * fail.
 */
export function taking(facts: Facts, of: Ownership, isThere: boolean, steps: readonly Step[]): Step[] {
  const mine = lineOf(of.owner, of.thing);
  const others = othersOf(facts, of).map((other) => lineOf(other, of.thing));
  const unmarks = others.map((theirs) => step(["unmark", theirs], ["mark", theirs]));
  if (holderOf(facts, of) !== of.owner) return [...unmarks, step(["mark", mine], ["unmark", mine]), ...steps];
  const stays = others.length === 0 && (isThere || steps.length === 0);
  return [...unmarks, ...(stays ? [] : [step([":"], ["unmark", mine])]), ...steps];
}

/** Returns the steps of a deletion, with the removal of the owner mark as the last. */
export function leaving(facts: Facts, of: Ownership, steps: readonly Step[]): Step[] {
  const mine = lineOf(of.owner, of.thing);
  return [...steps, ...(holderOf(facts, of) === of.owner ? [step(["unmark", mine], ["mark", mine])] : [])];
}
