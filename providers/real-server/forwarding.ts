import { bytesOf, endpoint, familyOf } from "../../src/values/address.js";

/** Returns an address as in /proc/net/ip_vs_conn: `C0A800DE`, `2001:0db8:0000:0000:0000:0000:0000:0001`. */
function inConnections(address: string): string {
  const bytes = bytesOf(address).map((byte) => byte.toString(16).padStart(2, "0"));
  if (familyOf(address) === "ipv4") return bytes.join("").toUpperCase();
  return Array.from({ length: 8 }, (_, i) => bytes.slice(2 * i, 2 * i + 2).join("")).join(":");
}

/**
 * Returns the command that changes a real server's forwarding to or from gatewaying while its connections
 * continue.
 */
export const changeForwarding = (address: string, port: number, command: readonly string[]): string[] => [
  "change_forwarding",
  familyOf(address) === "ipv4" ? "-4" : "-6",
  address,
  endpoint(address, port),
  inConnections(address),
  ...command,
];
