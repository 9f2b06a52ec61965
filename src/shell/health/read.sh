M=$ROOT/etc/systemd/system/pulumi-lvs-monitor.service
# The link by which systemd runs the agent at boot.
X=$ROOT/etc/systemd/system/multi-user.target.wants/pulumi-lvs-monitor.service
# Leaves out the time and the reason of a state: a plan does not depend on them.
read_health() { [ ! -e "$S/health" ] || cut -f 1-3 "$S/health"; }
read_reasons() { [ ! -e "$S/health" ] || cut -f 1,2,5 "$S/health"; }
# read_monitor FILE: prints the state of the agent, then the file.
read_monitor() {
  { IFS= read -r line <"$E/monitor"; } 2>/dev/null || {
    echo missing
    line=
  }
  case $line in
    '') ;;
    "$monitor_version")
      [ -e "$X" ] || {
        line=
        echo disabled
      }
      [ -z "$line" ] || case $(systemctl is-active pulumi-lvs-monitor.service) in
        active | activating) echo running ;;
        *) echo stopped ;;
      esac
      ;;
    *) echo outdated ;;
  esac
  [ ! -e "$E/monitor.d/$1" ] || cat "$E/monitor.d/$1"
}
