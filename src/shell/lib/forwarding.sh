# connections_to SERVER: prints the connections to SERVER, which is in the form of /proc/net/ip_vs_conn. Skips
# templates: they have no client port and carry no packets.
connections_to() {
  awk -v to="$1" '$6 == to && $3 != "0000" { print $1, $2, $3, $4, $5, $7 }' "$ROOT/proc/net/ip_vs_conn"
}
# change_forwarding FAMILY ADDRESS SERVER TO COMMAND...: runs the command with a temporary route to the real server.
# SERVER is ADDRESS with its port, and TO is SERVER in the form of /proc/net/ip_vs_conn.
change_forwarding() {
  family=$1 rip=$2 server=$3 to=$4
  shift 4
  way=
  [ ! -r "$ROOT/proc/net/ip_vs_conn" ] || way=$(ip "$family" -o route get "$rip" 2>/dev/null)
  case $way in
    # The route has a gateway already, or there is no route.
    *' via '* | local* | '')
      "$@"
      return
      ;;
  esac
  dev=$(printf '%s\n' "$way" | sed 's/.* dev \([^ ]*\).*/\1/')
  ip "$family" route add "$rip" via "$rip" dev "$dev" onlink 2>/dev/null || {
    "$@"
    return
  }
  "$@" || {
    rc=$?
    ip "$family" route del "$rip" via "$rip" dev "$dev" onlink
    return $rc
  }
  before=$(connections_to "$to")
  (
    while ipvsadm -Sn | grep -qF -e " -r $server " && {
      printf '%s\n--\n' "$before"
      connections_to "$to"
    } |
      awk '$0 == "--" { now = 1; next } !now { old[$0]; next } $0 in old { left = 1 } END { exit !left }'; do
      sleep "$POLL_SECONDS"
    done
    ip "$family" route del "$rip" via "$rip" dev "$dev" onlink
  ) >/dev/null 2>&1 &
}
