import { shellText } from "./shell/index.js";

/**
 * Shell functions that bring back what a record says: a function for each verb, and for nothing else. A record is data. Each
 * verb looks at the form of every argument and makes one argument vector of them, so no text of a record is ever evaluated.
 */
export const restoreVerbs = shellText("boot/verbs.sh");
