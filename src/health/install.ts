import { refusals } from "../refusals.js";
import { assign, shellText } from "../shell/index.js";
import { agentVersion, unit } from "./agent.js";
import { fileFunctions } from "./files.js";

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
