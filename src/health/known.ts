import { shellText } from "../shell/index.js";

/** Shell functions that give the judge all that is known, each file by its kind, and report what it does not understand. */
export const known = shellText("health/known.sh");
