import { agentVersion, fileFunctions, unit } from "./agent.js";
import { assign, shellText } from "./index.js";

/**
 * Returns shell functions that read the state of health checks. They end the prelude, and the agent has them
 * too.
 */
export const readMonitor = (functions: string): string =>
  assign({ monitor_version: `# pulumi-lvs monitor ${agentVersion(functions)}` }) +
  shellText("health/read.sh");

/** Shell functions that install and remove health checks, in scripts that change a host. */
export const monitorFunctions = [
  assign({ monitor_unit: unit }),
  shellText("health/install.sh"),
  fileFunctions,
].join("");
