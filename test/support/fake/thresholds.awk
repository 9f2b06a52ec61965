# What `ipvsadm -Ln --thresholds` prints: of thresholds (KEY, server, upper, lower, parted by tabs) and the table.
BEGIN {
  FS = "\t"; root = ENVIRON["LVS_FAKE_ROOT"]
  # connections come and go
  getline ticks < (root "/ticks"); close(root "/ticks"); ticks--; print ticks > (root "/ticks"); close(root "/ticks")
  print "IP Virtual Server version 1.2.1 (size=4096)"
  print "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn "
  print "  -> RemoteAddress:Port"
}
FILENAME ~ /thresholds$/ { upper[$1, $2] = $3; lower[$1, $2] = $4; next }
{
  n = split($0, w, " "); key = w[2] " " w[3]; if (w[4] == "-6") key = key " -6"
  if (w[1] == "-a") {
    for (i = 4; w[i] != "-r"; i++) ;
    printf "  -> %-28s %-10d %-10d %-10d %-10d\n", w[i + 1], upper[key, w[i + 1]], lower[key, w[i + 1]], ticks, 0
  } else {
    for (i = 4; w[i] != "-s"; i++) ;
    if (w[2] == "-f") print "FWM  " w[3] " " (w[4] == "-6" ? "IPv6 " : "") w[i + 1]
    else printf "%-4s %s %s\n", w[2] == "-t" ? "TCP" : w[2] == "-u" ? "UDP" : "SCTP", w[3], w[i + 1]
  }
}
