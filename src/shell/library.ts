import { rivals } from "../values/conflicts.js";
import { assign, shellText } from "./index.js";

/**
 * Shell functions that read which of them run, each named once, however many processes it has. Only root's processes count: no
 * other can change the table. Nor does one count whose program is setuid: any user can run sudo under another name.
 */
export const readRivals = assign({ RIVALS: rivals.join(" ") }) + shellText("lib/rivals.sh");

/**
 * Shell functions of scripts that change a host, about what is on its way out: /run/pulumi-lvs/draining has a line for each, with
 * when it began, and /run/pulumi-lvs/drained tells how it went.
 */
export const drainFunctions = shellText("lib/drain.sh");

/**
 * Shell function of scripts that change a host. Connections keep the forwarding they began with, but the kernel keeps one route
 * for a real server, whichever packet asked for it first (ip_vs_xmit.c, __ip_vs_get_out_rt). After a rewritten packet that route
 * says "its destination is a neighbour", and a packet that is sent on as it is has the VIP as its destination: the director looks
 * for its own address, and clients hear nothing, or of no route to host. A route by way of the real server itself serves both, so
 * there is one until the connections from before have gone.
 */
export const forwardingFunctions = shellText("lib/forwarding.sh");

/** Shell functions that the queries of a ServiceProbe call. POSIX sh. */
export const probeFunctions = shellText("lib/probe.sh");
