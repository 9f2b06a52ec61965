import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Commands of a script are counted one by one, in its own words for them, so that a fault can be bound to each. */
export const countedKinds = ["step", "undo", "bulk", "aside"] as const;
export type CountedKind = (typeof countedKinds)[number];

/** Shell functions that stand in for some of the scripts, and do what a test has armed. */
export const faultFunctions = readFileSync(join(__dirname, "faults.sh"), "utf8");
