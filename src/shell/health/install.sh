# put_agent TEXT: installs the agent. TEXT follows the prelude.
put_agent() {
  [ -d "$ROOT/run/systemd/system" ] || {
    echo 'no systemd runs there to run the health checks' >&2
    return "$NO_MONITOR"
  }
  has awk || return
  mkdir -p "$E/monitor.d" "${X%/*}" && chmod 700 "$E" &&
    put_text "$E/monitor" "$monitor_version
# Written by pulumi-lvs, and gone with the last monitor. What it sees: cat /run/pulumi-lvs/health
$prelude$1" && put_text "$M" "$monitor_unit" &&
    ln -sf "$M" "$X" &&
    sync "$E/monitor" "$M" 2>/dev/null && systemctl daemon-reload && systemctl restart pulumi-lvs-monitor.service ||
    give_up drop_agent
}
# drop_agent: removes the agent if no monitor is left.
drop_agent() {
  for f in "$E/monitor.d"/*; do [ ! -e "$f" ] || return 0; done
  if [ -e "$M" ]; then systemctl stop pulumi-lvs-monitor.service; fi
  [ ! -e "$E/monitor" ] || sh "$E/monitor" close
  rm -rf "$S/checks" "$S/health" "$S/monitor"
  unlink_agent
  rmdir "$E/monitor.d" "$E" "$S" 2>/dev/null
  :
}
# put_monitor FILE TEXT: writes the file of a monitor. Only root may read it, because it has the commands of checks.
put_monitor() {
  mkdir -p "$E/monitor.d" && chmod 700 "$E" && put_text "$E/monitor.d/$1" "$2" && rotated || {
    give_up rmdir "$E/monitor.d" "$E" 2>/dev/null
    return
  }
  sync "$E/monitor.d/$1" 2>/dev/null
  :
}
# drop_monitor FILE: removes the file. The agent then restores the declared state of its servers.
drop_monitor() {
  ! grep -qs '^announce[^a-z]' "$E/monitor.d/$1" || set -- "$1" announced
  rm -f "$E/monitor.d/$1" && rotated
  [ ! -e "$E/monitor" ] || sh "$E/monitor" forget ${2:+"$2"}
}
