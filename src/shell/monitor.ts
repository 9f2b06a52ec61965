import { agentVersion, fileFunctions, unit } from "./agent.js";
import { assign, shellText } from "./index.js";
import { refusals } from "./refusals.js";

/** Shell functions that read what there is of health checks; the rest of the prelude, which the agent has too. */
export const readMonitor = (functions: string): string =>
  assign({ monitor_version: `# pulumi-lvs monitor ${agentVersion(functions)}` }) +
  shellText("health/read.sh");

/** Shell functions that install and remove health checks; part of scripts that change things. */
export const monitorFunctions = [
  assign({ monitor_unit: unit, NO_MONITOR: refusals.noMonitor }),
  shellText("health/install.sh"),
  fileFunctions,
].join("");
