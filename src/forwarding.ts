import { bytesOf, endpoint, familyOf } from "./address.js";

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
export const forwardingFunctions = String.raw`
# real server as in /proc/net/ip_vs_conn; templates, which have no port of a client, send nothing
connections_to() { awk -v to="$1" '$6 == to && $3 != "0000" { print $1, $2, $3, $4, $5, $7 }' /proc/net/ip_vs_conn; }
# family, real server, the same with its port, the same as in /proc/net/ip_vs_conn, command
change_forwarding() {
  family=$1 rip=$2 server=$3 to=$4; shift 4
  way=; [ ! -r /proc/net/ip_vs_conn ] || way=$(ip "$family" -o route get "$rip" 2>/dev/null)
  case $way in
    # it has a gateway as it is, or there is no way
    *' via '* | local* | '') "$@"; return;;
  esac
  dev=$(printf '%s\n' "$way" | sed 's/.* dev \([^ ]*\).*/\1/')
  ip "$family" route add "$rip" via "$rip" dev "$dev" onlink 2>/dev/null || { "$@"; return; }
  "$@" || { rc=$?; ip "$family" route del "$rip" via "$rip" dev "$dev" onlink; return $rc; }
  before=$(connections_to "$to")
  (
    while ipvsadm -Sn | grep -qF -e " -r $server " && { printf '%s\n--\n' "$before"; connections_to "$to"; } |
      awk '$0 == "--" { now = 1; next } !now { old[$0]; next } $0 in old { left = 1 } END { exit !left }'
    do sleep 5; done
    ip "$family" route del "$rip" via "$rip" dev "$dev" onlink
  ) >/dev/null 2>&1 &
}
`;
