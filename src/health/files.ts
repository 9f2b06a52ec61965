import { shellText } from "../shell/index.js";

/** Shell functions about files of health checks, for scripts and for the agent itself. */
export const fileFunctions = shellText("health/files.sh");
