# ipvsadm -Ln --persistent-conn (ipvsadm 1.31): the table, with what `connections` says: SERVICE SERVER PERSISTENT ACTIVE INACTIVE
BEGIN {
  file = ENVIRON["LVS_FAKE_ROOT"] "/connections"
  while ((getline line < file) > 0) { split(line, w, " "); count[w[1] " " w[2]] = sprintf("%-11s %-10s %-10s", w[3], w[4], w[5]) }
  print "IP Virtual Server version 1.2.1 (size=4096)"
  print "Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn"
  print "  -> RemoteAddress:Port"
}
$1 == "-A" {
  name = ($2 == "-f" ? "FWM  " : $2 == "-t" ? "TCP  " : "UDP  ") $3
  for (i = 4; i <= NF; i++) { if ($i == "-6") name = name " IPv6"; if ($i == "-s") scheduler = $(i + 1); if ($i == "-p") flags = " persistent " $(i + 1) }
  print name " " scheduler flags; flags = ""
}
$1 == "-a" {
  for (i = 4; i <= NF; i++) { if ($i == "-r") server = $(i + 1); if ($i == "-w") weight = $(i + 1) }
  key = $3 " " server
  printf "  -> %-28s %-9s %s\n", server, weight, (key in count) ? count[key] : sprintf("%-11s %-10s %-10s", 0, 0, 0)
}
