import { shellText } from "../shell/index.js";

/**
 * The only place where data of the judge becomes a command: a shell function for its verbs, each an argument vector of its own
 * making. What the fields may hold is the readers' matter (readers.ts); nothing of it is ever read as shell text.
 */
export const table = shellText("health/table.sh");
