import { bytesOf, endpoint, familyOf } from "./address.js";
import { shellText } from "./shell/index.js";

/** An address as /proc/net/ip_vs_conn has it: `C0A800DE`, `2001:0db8:0000:0000:0000:0000:0000:0001`. */
function inConnections(address: string): string {
  const bytes = bytesOf(address).map((byte) => byte.toString(16).padStart(2, "0"));
  if (familyOf(address) === "ipv4") return bytes.join("").toUpperCase();
  return Array.from({ length: 8 }, (_, i) => bytes.slice(2 * i, 2 * i + 2).join("")).join(":");
}

/** The command that changes a real server's forwarding from gatewaying or to it, while connections through it go on. */
export const changeForwarding = (address: string, port: number, command: readonly string[]): string[] => [
  "change_forwarding",
  familyOf(address) === "ipv4" ? "-4" : "-6",
  address,
  endpoint(address, port),
  inConnections(address),
  ...command,
];

/**
 * Shell function of scripts that change a host. Connections keep the forwarding they began with, but the kernel keeps one route
 * for a real server, whichever packet asked for it first (ip_vs_xmit.c, __ip_vs_get_out_rt). After a rewritten packet that route
 * says "its destination is a neighbour", and a packet that is sent on as it is has the VIP as its destination: the director looks
 * for its own address, and clients hear nothing, or of no route to host. A route by way of the real server itself serves both, so
 * there is one until the connections from before have gone.
 */
export const forwardingFunctions = shellText("lib/forwarding.sh");
