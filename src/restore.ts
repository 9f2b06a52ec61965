import { restoreTurns } from "./restore-turns.js";
import { restoreVerbs } from "./restore-verbs.js";
import { assign, shellText } from "./shell/index.js";

/** What the restore file does after the functions that it has from the prelude. */
export const restore = assign({ turns: restoreTurns }) + restoreVerbs + shellText("boot/restore.sh");
