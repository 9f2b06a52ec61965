# Runs a line of shell. Its head sets line and nonce. The last line of the output has the nonce alone, also after output
# without an end of line, then the exit code and whether the host goes down.
sh -c "$line" </dev/null
code=$?
# Prints whether logind delays a shutdown, and which one is for later: `b false` and `(st) "" 0`.
logind() {
  busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager \
    PreparingForShutdown ScheduledShutdown </dev/null 2>/dev/null
}
# logind may delay a reboot, and systemd does not know of it until then.
if logind | grep -Eq '^b true|^\(st\) "(reboot|soft-reboot|kexec|poweroff|halt)"'; then
  state=stopping
else
  state=$(systemctl is-system-running)
fi
printf '\n%s %s %s\n' "$nonce" "$code" "$state"
