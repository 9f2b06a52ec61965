import { isPlainThroughout } from "../../src/values/foreign.js";
import type { Problem } from "../../src/values/problem.js";
import type { Bag } from "./inputs.js";

/**
 * Returns problems in Pulumi's form. Pulumi prints the value of a named property as it is, so a property
 * whose value is not fit for that is not named.
 */
export const failuresOf = (problems: readonly Problem[], given: Bag) =>
  problems.map(({ path, reason }) =>
    !Object.hasOwn(given, path) || isPlainThroughout(given[path])
      ? { property: path, reason }
      : { property: "", reason: `${path}: ${reason}` },
  );
