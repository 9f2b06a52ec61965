import { isPlainThroughout } from "../../src/values/foreign.js";
import type { Problem } from "../../src/values/problem.js";
import type { Bag } from "./inputs.js";

/** What Pulumi is told of problems. It prints the value of a property that is named, as it is, so one not fit for that is not named. */
export const failuresOf = (problems: readonly Problem[], given: Bag) =>
  problems.map(({ path, reason }) =>
    !Object.hasOwn(given, path) || isPlainThroughout(given[path])
      ? { property: path, reason }
      : { property: "", reason: `${path}: ${reason}` },
  );
