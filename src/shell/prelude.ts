import { assign, shellText } from "./index.js";
import { readConflicts } from "./library.js";
import { lockFunctions } from "./lock.js";
import { readMonitor } from "./monitor.js";
import { refusalVariables } from "./refusals.js";

const functions = [
  assign({
    ...refusalVariables,
    claims: shellText("lib/claims.awk"),
    advertise_pl: shellText("lib/advertise.pl"),
    advertise_py: shellText("lib/advertise.py"),
  }),
  lockFunctions,
  readConflicts,
  ...["report", "write", "read", "addresses", "ledger", "settings"].map((name) =>
    shellText(`lib/${name}.sh`),
  ),
].join("");

/**
 * Shell functions that every script starts with. POSIX sh with the tools of a minimal Debian, RHEL or Alpine.
 *
 * The host keeps a ledger, readable by people: a record for each declared thing, with its owner
 * (facts/ledger.ts). An object (entry, address, route) has one owner. A setting (sysctl, module) always
 * exists, and several resources may want it at once. So the host also keeps the value that was there first:
 * /run/pulumi-lvs/CLAIM/found.
 */
export const prelude = functions + readMonitor(functions);
