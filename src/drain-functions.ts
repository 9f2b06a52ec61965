import { shellText } from "./shell/index.js";

/**
 * Shell functions of scripts that change a host, about what is on its way out: /run/pulumi-lvs/draining has a line for each, with
 * when it began, and /run/pulumi-lvs/drained tells how it went.
 */
export const drainFunctions = shellText("lib/drain.sh");
