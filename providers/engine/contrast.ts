import { isDeepStrictEqual } from "node:util";
import { show } from "../../src/values/problem.js";
import type { Bag } from "./inputs.js";

/** Returns the differences between have and want, as text for people. */
export const contrast = (have: Bag, want: Bag): string =>
  Object.keys(want)
    .filter((name) => !isDeepStrictEqual(have[name], want[name]))
    .map((name) => `${name} is ${show(have[name])}, wanted ${show(want[name])}`)
    .join(", ");
