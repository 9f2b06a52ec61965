import { isDeepStrictEqual } from "node:util";
import { show, showPath } from "../../src/values/problem.js";
import { type Bag, plain } from "./inputs.js";

const isMap = (value: unknown): value is Bag =>
  typeof value === "object" && value !== null && !Array.isArray(value);

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
