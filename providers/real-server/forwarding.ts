import { bytesOf, endpoint, familyOf } from "../../src/values/address.js";

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
