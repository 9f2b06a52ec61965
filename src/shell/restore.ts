import { ranks } from "../values/ranks.js";
import { serverNumbersVariable } from "../values/server-numbers.js";
import { assign, shellText } from "./index.js";

/**
 * Decides which addresses and routes may come now: POSIX awk without the quote '. In: missing records of
 * ranks before addresses, `--`, and all records. Out: `go RECORD`, or `wait THING WHAT`, where WHAT is
 * missing.
 *
 * An address waits for its own service, for the servers behind that, and for settings of its own stack. The
 * restore ends these waits by `overdue`.
 *
 * Two waits have no bound. An IPv4 address on a host that is not its director waits until ARP is suppressed,
 * because it would take clients away from the director. An address waits until one of its services exists,
 * because without any the director itself would answer.
 */
export const restoreTurns = shellText("boot/turns.awk");

/**
 * Shell functions that restore a record, one for each verb. A record is data: each verb checks the form of
 * every argument and makes one argument vector of them. No text of a record is ever evaluated.
 */
const restoreVerbs = shellText("boot/verbs.sh");

/** The ranks that the restore and its turns compare with. */
export const turnRanks = {
  TABLE: ranks.table,
  SERVICE: ranks.service,
  SERVER: ranks.server,
  ADDRESS: ranks.address,
};

/** The main part of the restore file, after the functions of the prelude. */
export const restore =
  assign({ turns: restoreTurns, ...turnRanks, ...serverNumbersVariable }) +
  restoreVerbs +
  shellText("boot/restore.sh");
