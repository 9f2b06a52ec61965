import { shellText } from "./shell/index.js";

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
