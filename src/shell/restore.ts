import { ranks } from "../values/ranks.js";
import { assign, shellText } from "./index.js";

/**
 * Whose turn it is among addresses and routes: awk (POSIX; no quote ' may be in it). In: records that are still missing of what
 * goes before addresses, `--`, and all records. Out: `go RECORD`, or `wait THING WHAT` with what it waits for.
 *
 * An address waits for its own service and the servers behind it, and for settings of its own stack; the restore bounds that by
 * `overdue`. Two waits have no bound. An IPv4 address of a host that is not its director waits until ARP is suppressed, because it
 * would take clients away from the director. An address waits until one of its services is there, because without any the
 * director itself would answer.
 */
export const restoreTurns = shellText("boot/turns.awk");

/**
 * Shell functions that bring back what a record says: a function for each verb, and for nothing else. A record is data. Each
 * verb looks at the form of every argument and makes one argument vector of them, so no text of a record is ever evaluated.
 */
const restoreVerbs = shellText("boot/verbs.sh");

/** The ranks that the restore and its turns compare with. */
export const turnRanks = {
  TABLE: ranks.table,
  SERVICE: ranks.service,
  SERVER: ranks.server,
  ADDRESS: ranks.address,
};

/** What the restore file does after the functions that it has from the prelude. */
export const restore =
  assign({ turns: restoreTurns, ...turnRanks }) + restoreVerbs + shellText("boot/restore.sh");
