import { isDeepStrictEqual } from "node:util";
import { show, showPath } from "../../src/values/problem.js";
import type { Operation } from "./change.js";
import { type Bag, plain } from "./inputs.js";

const isMap = (value: unknown): value is Bag =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Returns whether Pulumi's wire carries two values as the same one. */
export const isEqual = (one: unknown, other: unknown): boolean => isDeepStrictEqual(plain(one), plain(other));

/** Returns whether an operation creates a thing or changes its config. */
export const isNewConfig = ({ verb, was, config }: Pick<Operation, "verb" | "was" | "config">): boolean =>
  verb === "create" || (verb === "update" && !isEqual(was, config));

/** Returns the names whose values differ. */
export const unlike = (one: Bag, other: Bag): string[] =>
  Object.keys({ ...one, ...other }).filter((name) => !isEqual(one[name], other[name]));

/** Returns the differences between have and want, as text for people. In maps it names the fields that differ. */
export const describeDifference = (have: Bag, want: Bag): string =>
  differences(have, want, Object.keys(want), []).join(", ");

/** Returns why a thing is not as wanted, as text for people, or undefined if it is. */
export function driftOf(have: Bag | undefined, want: Bag): string | undefined {
  if (!have) return "it is not there";
  const [is, wanted] = [plain(have), plain(want)] as [Bag, Bag];
  return isDeepStrictEqual(is, wanted) ? undefined : describeDifference(is, wanted) || undefined;
}

const differences = (have: Bag, want: Bag, names: readonly string[], above: readonly string[]): string[] =>
  names
    .filter((name) => !isDeepStrictEqual(have[name], want[name]))
    .flatMap((name) => {
      const [is, wanted, at] = [have[name], want[name], [...above, name]];
      return isMap(is) && isMap(wanted)
        ? differences(is, wanted, [...new Set([...Object.keys(is), ...Object.keys(wanted)])], at)
        : [`${showPath(at)} is ${show(is)}, wanted ${show(wanted)}`];
    });
