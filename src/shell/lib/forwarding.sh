# real server as in /proc/net/ip_vs_conn; templates, which have no port of a client, send nothing
connections_to() { awk -v to="$1" '$6 == to && $3 != "0000" { print $1, $2, $3, $4, $5, $7 }' /proc/net/ip_vs_conn; }
# family, real server, the same with its port, the same as in /proc/net/ip_vs_conn, command
change_forwarding() {
  family=$1 rip=$2 server=$3 to=$4
  shift 4
  way=
  [ ! -r /proc/net/ip_vs_conn ] || way=$(ip "$family" -o route get "$rip" 2>/dev/null)
  case $way in
    # it has a gateway as it is, or there is no way
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
      sleep 5
    done
    ip "$family" route del "$rip" via "$rip" dev "$dev" onlink
  ) >/dev/null 2>&1 &
}
