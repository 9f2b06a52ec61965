# ip-address(8) and ip-route(8) on text files.
# addresses: INTERFACE ADDRESS/BITS BROADCAST LABEL NODAD; links: INTERFACE [altname=NAME]; routes: FAMILY TABLE DESTINATION VIA DEVICE SOURCE METRIC [PROTOCOL]; "-" is none
function fail(text, rc) { print text > "/dev/stderr"; exit rc }
function lines(name, into,   n) { while ((getline line < (root "/" name)) > 0) into[++n] = line; close(root "/" name); return n + 0 }
function store(name, list, n,   i, file) {
  file = root "/" name
  printf "" > file
  for (i = 1; i <= n; i++) if (list[i] != "") print list[i] >> file
  close(file)
}
# the name of an interface that has this name or alternative name
function device(name,   i, n, all, w) {
  n = lines("links", all)
  for (i = 1; i <= n; i++) { split(all[i], w, " "); if (w[1] == name || all[i] ~ (" altname=" name "( |$)")) return w[1] }
  fail("Cannot find device \"" name "\"", 1)
}
function altname(line) { if (line !~ / altname=/) return ""; sub(/.* altname=/, "", line); sub(/ .*/, "", line); return line }
function json(name, value) { return value == "-" ? "" : ",\"" name "\":\"" value "\"" }

# 0x80 is IFF_NOARP
function no_arp(name,   flags) { flags = ""; getline flags < (root "/sys/class/net/" name "/flags"); return flags ~ /[89a-f].$/ }
function show_addresses(   links, all, n, m, i, j, w, part, text, sep, ticks, name) {
  # what DHCP gave runs out a second later at each look
  getline ticks < (root "/ticks"); close(root "/ticks"); ticks--; print ticks > (root "/ticks"); close(root "/ticks")
  n = lines("links", links); m = lines("addresses", all)
  for (i = 1; i <= n; i++) {
    split(links[i], w, " "); name = w[1]
    text = text (i > 1 ? "," : "") "{\"ifindex\":" i ",\"ifname\":\"" name "\",\"flags\":[" (name == "lo" ? "\"LOOPBACK\"," : "")
    text = text (no_arp(name) ? "\"NOARP\"," : "") "\"UP\"],\"mtu\":1500,"
    if (altname(links[i]) != "") text = text "\"altnames\":[\"" altname(links[i]) "\"],"
    text = text "\"addr_info\":["
    sep = ""
    for (j = 1; j <= m; j++) {
      split(all[j], w, " "); if (w[1] != name) continue
      split(w[2], part, "/")
      text = text sep "{\"family\":\"" (part[1] ~ /:/ ? "inet6" : "inet") "\",\"local\":\"" part[1] "\",\"prefixlen\":" part[2]
      text = text json("broadcast", w[3]) ",\"scope\":\"global\"" (w[5] == "nodad" ? ",\"nodad\":true" : "") (w[5] ~ /^(tentative|duplicate|endless|dadfailed)$/ ? ",\"tentative\":true" : "") (w[5] == "dadfailed" ? ",\"dadfailed\":true" : "") (w[6] == "deprecated" ? ",\"deprecated\":true" : "")
      if (part[1] !~ /:/) text = text ",\"label\":\"" (w[4] == "-" ? w[1] : w[4]) "\""
      text = text ",\"valid_life_time\":" ticks ",\"preferred_life_time\":" ticks "}"
      sep = ","
    }
    text = text "]}"
  }
  print "[" text "]"
}

function change_address(verb,   all, n, i, w, at, dev, brd, lab, dad, old) {
  at = ARGV[4]; brd = lab = dad = "-"
  for (i = 5; i < ARGC; i++) {
    if (ARGV[i] == "dev") dev = ARGV[++i]
    else if (ARGV[i] == "broadcast") brd = ARGV[++i]
    else if (ARGV[i] == "label") lab = ARGV[++i]
    else if (ARGV[i] == "nodad") dad = "nodad"
    else if (ARGV[i] == "noprefixroute") continue
    else if (ARGV[i] == "preferred_lft") old = ARGV[++i] == 0 ? " deprecated" : ""
    else if (ARGV[i] == "valid_lft") i++
    else fail("Error: either \"local\" is duplicate, or \"" ARGV[i] "\" is a garbage.", 255)
  }
  dev = device(dev)
  if (at ~ /:/ && brd != "-") fail("RTNETLINK answers: Invalid argument", 2)
  n = lines("addresses", all)
  for (i = 1; i <= n; i++) {
    split(all[i], w, " "); if (w[1] != dev || w[2] != at) continue
    if (verb == "add") fail("RTNETLINK answers: File exists", 2)
    if (verb == "change") { all[i] = dev " " at " " brd " " lab " " dad old; store("addresses", all, n); return }
    all[i] = ""; store("addresses", all, n); drop_routes_from(at); return
  }
  if (verb == "del") fail("RTNETLINK answers: Cannot assign requested address", 2)
  all[++n] = dev " " at " " brd " " lab " " dad old
  store("addresses", all, n)
}

# with the last of an address go the routes that send from it
function drop_routes_from(at,   all, n, i, w, part) {
  sub(/\/.*/, "", at)
  n = lines("addresses", all)
  for (i = 1; i <= n; i++) { split(all[i], w, " "); split(w[2], part, "/"); if (part[1] == at) return }
  n = lines("routes", all)
  for (i = 1; i <= n; i++) { split(all[i], w, " "); if (w[6] == at) all[i] = "" }
  store("routes", all, n)
}

# detection ends after it was looked at: "tentative" is then valid, and "duplicate" has failed; "endless" goes on
function show_tentative(   all, n, i, w) {
  n = lines("addresses", all)
  for (i = 1; i <= n; i++) {
    split(all[i], w, " "); if (w[5] !~ /^(tentative|duplicate|endless)$/) continue
    print i ": " w[1] "    inet6 " w[2] " scope global tentative"
    if (w[5] == "tentative") sub(/ tentative/, " -", all[i]); else sub(/ duplicate/, " dadfailed", all[i])
  }
  store("addresses", all, n)
}

function number(address,   p) { split(address, p, "."); return ((p[1] * 256 + p[2]) * 256 + p[3]) * 256 + p[4] }
# the interface that reaches a gateway: the one with an address in its network
function reaching(via,   all, n, i, w, part, size) {
  n = lines("addresses", all)
  for (i = 1; i <= n; i++) {
    split(all[i], w, " "); split(w[2], part, "/")
    if (via ~ /:/) { if (part[1] ~ /:/ && w[1] != "lo" && substr(part[1], 1, 9) == substr(via, 1, 9)) return w[1] }
    else if (part[1] !~ /:/) {
      size = 2 ^ (32 - part[2])
      if (int(number(part[1]) / size) == int(number(via) / size)) return w[1]
    }
  }
  fail("Error: Nexthop has invalid gateway.", 2)
}

function change_route(family, verb,   all, n, i, w, to, via, dev, src, met, table, named, proto) {
  to = ARGV[4]; via = dev = src = "-"; met = ""; table = "main"
  for (i = 5; i < ARGC; i++) {
    if (ARGV[i] == "via") via = ARGV[++i]
    else if (ARGV[i] == "dev") dev = ARGV[++i]
    else if (ARGV[i] == "src") src = ARGV[++i]
    else if (ARGV[i] == "metric") met = ARGV[++i]
    else if (ARGV[i] == "table") table = ARGV[++i]
    else if (ARGV[i] == "proto") proto = ARGV[++i]
    else if (ARGV[i] == "onlink") continue
    else fail("Error: either \"to\" is duplicate, or \"" ARGV[i] "\" is a garbage.", 255)
  }
  if (to == "::/0" || to == "0.0.0.0/0") to = "default"
  sub(family == 4 ? "/32$" : "/128$", "", to)
  if (dev != "-") dev = device(dev)
  named = met != ""
  # IPv6 has no metric 0: none is 1024
  if (!named) met = family == 4 ? 0 : 1024
  n = lines("routes", all)
  for (i = 1; i <= n; i++) {
    split(all[i], w, " ")
    if (w[1] != family || w[2] != table || w[3] != to) continue
    if (verb == "del") {
      if ((named && w[7] != met) || (via != "-" && w[4] != via) || (dev != "-" && w[5] != dev) || (src != "-" && w[6] != src) || (proto != "" && w[8] != proto)) continue
      all[i] = ""; store("routes", all, n); return
    }
    if (w[7] != met) continue
    if (verb == "add") fail("RTNETLINK answers: File exists", 2)
    break
  }
  if (verb == "del") fail("RTNETLINK answers: No such process", 2)
  if (dev == "-") dev = reaching(via)
  if (i > n) n = i
  all[i] = family " " table " " to " " via " " dev " " src " " met (proto == "" ? "" : " " proto)
  store("routes", all, n)
}

# The routes of a protocol in all tables, first those of IPv4. The real one names neither the protocol nor table main.
function show_protocol(proto,   all, n, i, w, family) {
  n = lines("routes", all)
  for (family = 4; family <= 6; family += 2) for (i = 1; i <= n; i++) {
    split(all[i], w, " "); if (w[1] != family || w[8] != proto) continue
    print w[3] (w[4] == "-" ? "" : " via " w[4]) " dev " w[5] (w[2] == "main" ? "" : " table " w[2]) (w[4] == "-" && family == 4 ? " scope 253" : "") (w[6] == "-" ? "" : " src " w[6]) (w[7] == 0 ? "" : " metric " w[7]) (family == 6 ? " pref medium" : "") " "
  }
}

function show_routes(family, table,   all, n, i, w, part, text, sep) {
  # the kernel's own table has every address of the host
  n = table == "local" ? lines("addresses", all) : 0
  for (i = 1; i <= n; i++) {
    split(all[i], w, " "); split(w[2], part, "/")
    if ((part[1] ~ /:/) != (family == 6)) continue
    text = text sep "{\"type\":\"local\",\"dst\":\"" (part[1] == "127.0.0.1" ? "127.0.0.0/8" : part[1]) "\",\"dev\":\"" w[1] "\",\"protocol\":\"kernel\",\"flags\":[]}"
    sep = ","
  }
  n = lines("routes", all)
  for (i = 1; i <= n; i++) {
    split(all[i], w, " "); if (w[1] != family || w[2] != table) continue
    text = text sep "{\"dst\":\"" w[3] "\"" json("gateway", w[4]) json("dev", w[5]) (w[8] == "" ? "" : json("protocol", w[8])) (w[4] == "-" && family == 4 ? ",\"scope\":\"link\"" : "")
    text = text json("prefsrc", w[6]) (w[7] == 0 ? "" : ",\"metric\":" w[7]) ",\"flags\":[]" (family == 6 ? ",\"pref\":\"medium\"" : "") "}"
    sep = ","
  }
  if (text == "" && table != "main") {
    # iproute2 has begun to print by then
    printf "["
    fail("Error: ipv" family ": FIB table does not exist.\nDump terminated", 2)
  }
  print "[" text "]"
}

BEGIN {
  root = ENVIRON["LVS_FAKE_ROOT"]
  words = ARGV[1]; for (i = 2; i <= 5 && i < ARGC; i++) words = words " " ARGV[i]
  if (words == "-j addr show") show_addresses()
  else if (words == "-o -6 addr show up") show_tentative()
  else if (words ~ /^-o link show dev /) print "1: " device(ARGV[5]) ": <UP>"
  else if (words ~ /^-o addr show dev / && ARGV[6] == "to") { n = lines("addresses", all); for (i = 1; i <= n; i++) if (split(all[i], w, " ") && w[1] == device(ARGV[5])) print "1: " w[1] "    inet " w[2] " scope global " w[1] }
  else if (words ~ /^-o addr show dev /) { device(ARGV[5]); exit 0 }
  else if (words ~ /^-j -[46] route show table$/) show_routes(substr(ARGV[2], 2), ARGV[6])
  else if (words " " ARGV[6] == "-N route show table all proto") show_protocol(ARGV[7])
  else if (words ~ /^addr (add|del|change) /) { for (i = ARGC; i > 1; i--) ARGV[i] = ARGV[i - 1]; ARGC++; change_address(ARGV[3]) }
  else if (words ~ /^-[46] route (add|del|replace) /) { family = substr(ARGV[1], 2); change_route(family, ARGV[3]) }
  else fail("Object \"" ARGV[1] "\" is unknown, try \"ip help\".", 1)
  exit 0
}
