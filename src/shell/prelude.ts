import { assign, shellText } from "./index.js";
import { readRivals } from "./library.js";
import { lockFunctions } from "./lock.js";
import { readMonitor } from "./monitor.js";
import { refusals } from "./refusals.js";

const functions = [
  lockFunctions,
  readRivals,
  assign({ NO_ROOM: refusals.noRoom }),
  ...["report", "read", "addresses", "owners", "settings"].map((name) => shellText(`lib/${name}.sh`)),
].join("");

/**
 * Shell functions that every script starts with. POSIX sh; nothing but what a minimal Debian, RHEL or Alpine has.
 *
 * Who owns what is kept on the host, readable by people, for as long as the things themselves live: until reboot, or until
 * the last owner lets go. Objects (entries, addresses, routes) have one owner: a line each in /run/pulumi-lvs/owners. Settings
 * (sysctls, modules) are never absent and may be wanted by several resources at once, so what was found before the first of
 * them is kept too: /run/pulumi-lvs/SETTING/{found,owners}.
 */
export const prelude = functions + readMonitor(functions);
