import { shellText } from "./shell/index.js";

/** Shell functions that the queries of a ServiceProbe call. POSIX sh. */
export const probeFunctions = shellText("lib/probe.sh");
