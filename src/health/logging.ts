import { shellText } from "../shell/index.js";

/**
 * Shell functions that write lines to the logs of monitors, without the host's lock. The agent is root, and a path may be where others
 * can write; so it writes to regular files only, and only in a folder where others can put nothing in their place.
 */
export const logging = shellText("health/logging.sh");
