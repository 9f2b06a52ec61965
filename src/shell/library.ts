import { conflicts } from "../values/conflicts.js";
import { assign, shellText } from "./index.js";

/**
 * Shell functions that print which conflicting programs run, each once, however many processes it has. Only
 * root's processes count, because no other can change the table. A setuid program does not count, because any
 * user can run sudo under another name.
 */
export const readConflicts = assign({ CONFLICTS: conflicts.join(" ") }) + shellText("lib/conflicts.sh");

/**
 * Shell functions for drains, in scripts that change a host. /run/pulumi-lvs/draining has a line with the
 * start time for each drain, and /run/pulumi-lvs/drained has the results.
 */
export const drainFunctions = shellText("lib/drain.sh");

/**
 * Shell function for a changed forwarding, in scripts that change a host.
 *
 * Connections keep the forwarding they began with. But the kernel keeps one route for a real server: that of
 * the packet which asked for it first (ip_vs_xmit.c, __ip_vs_get_out_rt).
 *
 * After a rewritten packet that route says "its destination is a neighbour". A packet that is forwarded
 * unchanged has the VIP as its destination. So the director looks for its own address, and clients get no
 * answer, or "no route to host".
 *
 * A route through the real server itself serves both kinds. The function keeps one until the old connections
 * have ended.
 */
export const forwardingFunctions = shellText("lib/forwarding.sh");

/** Shell functions (POSIX sh) that the queries of a ServiceProbe call. */
export const probeFunctions = shellText("lib/probe.sh");
