L=$ROOT/etc/logrotate.d/pulumi-lvs
unlink_agent() {
  rm -f "$X" "$M" "$E/monitor" "$L"
  systemctl daemon-reload
}
# rotated: configures logrotate, if it is installed, for the logs of all monitors.
rotated() {
  [ -d "${L%/*}" ] || return 0
  logs=$(
    for f in "$E/monitor.d"/*; do
      [ ! -e "$f" ] || sed -n 's/^log[^a-z/]\(\/[A-Za-z0-9._/-]*\)$/\1/p' "$f"
    done | sort -u
  )
  if [ -z "$logs" ]; then
    rm -f "$L"
    return
  fi
  put_text "$L" "$logs {
  weekly
  rotate 4
  missingok
  notifempty
  compress
  delaycompress
}"
}
