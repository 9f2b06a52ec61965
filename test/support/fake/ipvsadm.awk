# The verbs -A -E -D -a -e -d -C, -R, --set, --start-daemon and --stop-daemon: what each refuses, in its words, with its exit code (the lab's ipvsadm 1.31).
function refuse(text, rc) { print text > "/dev/stderr"; code = rc; return 0 }

function load(   line, n, w, key) {
  while ((getline line < table) > 0) {
    n = split(line, w, " ")
    key = w[2] " " w[3]; if (w[4] == "-6") key = key " -6"
    if (w[1] == "-A") service[key] = line
    else { for (n = 4; w[n] != "-r"; n++) ; server[key SUBSEP w[n + 1]] = line }
  }
  close(table)
  while ((getline line < (root "/thresholds")) > 0) { split(line, w, "\t"); threshold[w[1] SUBSEP w[2]] = w[3] "\t" w[4] }
  close(root "/thresholds")
}

# marks come last, the rest by protocol, address and port
function rank(key,   w, p, v) {
  split(key, w, " ")
  if (w[1] == "-f") return sprintf("9 %012d %s", w[2], w[3])
  return (w[1] == "-t" ? "1 " : "2 ") place(w[2])
}
function place(text,   p, q) {
  if (text ~ /^\[/) { match(text, /\]:/); return "6" substr(text, 1, RSTART) sprintf("%05d", substr(text, RSTART + 2)) }
  split(text, p, ":"); split(p[1], q, ".")
  return sprintf("4%03d%03d%03d%03d%05d", q[1], q[2], q[3], q[4], p[2])
}
function sorted(list, n,   i, j, t) {
  for (i = 2; i <= n; i++) { t = list[i]; for (j = i - 1; j > 0 && list[j] > t; j--) list[j + 1] = list[j]; list[j + 1] = t }
}
function save(   k, n, m, i, j, a, b, of, part, text) {
  for (k in service) { a[++n] = rank(k) "\t" k }
  sorted(a, n)
  for (i = 1; i <= n; i++) {
    split(a[i], part, "\t"); of = part[2]
    text = text service[of] "\n"
    m = 0; split("", b)
    for (k in server) { split(k, part, SUBSEP); if (part[1] == of) b[++m] = place(part[2]) "\t" part[2] }
    sorted(b, m)
    for (j = 1; j <= m; j++) { split(b[j], part, "\t"); text = text server[of SUBSEP part[2]] "\n" }
  }
  printf "%s", text > table; close(table)
  n = split("", a); text = ""
  for (k in threshold) if (k in server) { split(k, part, SUBSEP); a[++n] = part[1] "\t" part[2] "\t" threshold[k] }
  sorted(a, n)
  for (i = 1; i <= n; i++) text = text a[i] "\n"
  printf "%s", text > (root "/thresholds"); close(root "/thresholds")
}

function known_scheduler(name,   line, found) {
  while ((getline line < (root "/schedulers")) > 0) if (line == name) found = 1
  close(root "/schedulers")
  return found || system("modprobe -q ip_vs_" name) == 0
}

function lacks(option, verb) {
  return "You need to supply the '" option "' option for the '" (verb ~ /[Aa]/ ? "add" : verb ~ /[Ee]/ ? "edit" : "delete") (verb ~ /[AED]/ ? "-service" : "-server") "' command"
}

# one command line in w[1..n]; true when the kernel took it
function run(w, n,   verb, i, key, kind, v6, s, p, m, b, r, how, weight, x, y, other, line, own, k, part, text) {
  text = w[1]; for (i = 2; i <= n; i++) text = text " " w[i]
  if (text == refused) return refuse("Memory allocation problem", 255)
  verb = w[1]; kind = ""; s = "wlc"; how = "-g"; weight = 1; x = y = 0; p = m = b = r = v6 = other = ""
  if (verb == "--set") return set_timeouts(w, n)
  if (verb ~ /^--(start|stop)-daemon$/) return daemon(w, n)
  if (verb !~ /^-[AEDaedC]$/) return refuse("Unknown arg `" verb "'", 2)
  for (i = 2; i <= n; i++) {
    if (w[i] ~ /^-[tuf]$/) { kind = w[i]; key = w[++i] }
    else if (w[i] == "-6") { if (kind != "-f") return refuse("-6 used before -f", 2); v6 = " -6" }
    else if (w[i] == "-s") s = w[++i]
    else if (w[i] == "-p") p = (w[i + 1] ~ /^[0-9]+$/) ? w[++i] : 360
    else if (w[i] == "-M") m = w[++i]
    else if (w[i] == "-b") b = w[++i]
    else if (w[i] == "-r") r = w[++i]
    else if (w[i] ~ /^-[gim]$/) how = w[i]
    else if (w[i] == "--tun-type" && w[i + 1] == "ipip") i++
    else if (w[i] == "-w") { weight = w[++i]; if (weight !~ /^[0-9]+$/ || weight > 2147483647) return refuse("illegal weight specified", 2) }
    else if (w[i] == "-x") { x = w[++i]; if (x !~ /^[0-9]+$/) return refuse("illegal u_threshold specified", 2) }
    else if (w[i] == "-y") { y = w[++i]; if (y !~ /^[0-9]+$/) return refuse("illegal l_threshold specified", 2) }
    else return refuse("unexpected argument " w[i], 2)
  }
  if (verb == "-C") { split("", service); split("", server); changed = 1; return 1 }
  if (kind == "") return refuse(lacks("service-address", verb), 2)
  key = kind " " key v6
  if (verb ~ /[AED]/) {
    if (verb == "-A" && key in service) return refuse("Service already exists", 255)
    if (verb != "-A" && !(key in service)) return refuse("No such service", 255)
    if (verb == "-D") {
      delete service[key]
      for (k in server) { split(k, part, SUBSEP); if (part[1] == key) delete server[k] }
      changed = 1; return 1
    }
    if (kind != "-f" && key ~ /:0$/ && p == "") return refuse("Zero port specified for non-persistent service", 2)
    if (b ~ /(^|,)[ms]h-/ && b !~ ("^(" s "-[a-z]+,?)+$")) return refuse("incompatible scheduler flag", 2)
    if (!known_scheduler(s)) return refuse("Scheduler or persistence engine not found", 255)
    line = "-A " key " -s " s
    if (p != "") line = line " -p " p
    if (p != "" && m != "" && m != "255.255.255.255" && m != "128") line = line " -M " m
    if (b != "") line = line " -b " b
    service[key] = line; changed = 1; return 1
  }
  if (r == "") return refuse(lacks("real-server", verb), 2)
  if (!(key in service)) return refuse("Service not defined", 255)
  # only masquerading can change a port, so any other is the service's own
  if (verb != "-d" && how != "-m" && kind != "-f") {
    own = key; sub(/.*:/, "", own); sub(/:[0-9]+$/, ":" own, r)
  }
  if (y + 0 > x + 0) return refuse("Numerical result out of range", 255)
  k = key SUBSEP r
  if (verb == "-a" && k in server) return refuse("Destination already exists", 255)
  if (verb != "-a" && !(k in server)) return refuse("No such destination", 255)
  changed = 1
  delete threshold[k]
  if (verb != "-d" && x + y > 0) threshold[k] = x "\t" y
  if (verb == "-d") { delete server[k]; return 1 }
  if (weight in distorted) weight = distorted[weight]
  server[k] = "-a " key " -r " r " " how " -w " weight (how == "-i" ? " --tun-type ipip" : "")
  return 1
}

# 0 is as it was
function set_timeouts(w, n,   i, was) {
  if (n != 4) return refuse("--set option requires 3 timeout values", 2)
  getline i < (root "/timeouts"); close(root "/timeouts"); split(i, was, " ")
  for (i = 2; i <= 4; i++) {
    if (w[i] !~ /^[0-9]+$/ || w[i] > 2678400) return refuse("invalid timeout value `" w[i] "' specified", 2)
    if (w[i] == 0) w[i] = was[i - 1]
  }
  print w[2], w[3], w[4] > (root "/timeouts"); close(root "/timeouts")
  return 1
}

# one of each state; none can be changed
function daemon(w, n,   i, line, runs, other, given) {
  while ((getline line < (root "/daemons")) > 0) if (index(line, w[2] " ") == 1) runs = 1; else other = other line "\n"
  close(root "/daemons")
  if (w[1] == "--stop-daemon") {
    if (!runs) return refuse("No daemon is running", 255)
    line = ""
  } else {
    if (runs) return refuse("Daemon has already run", 255)
    for (i = 3; i < n; i += 2) given[w[i]] = w[i + 1]
    if (system("grep -Eq '(^| altname=)" given["--mcast-interface"] "( |$)' " root "/links")) return refuse("No such device", 255)
    line = w[2] " sync daemon (mcast=" given["--mcast-interface"] ", syncid=" given["--syncid"] ", maxlen=" given["--sync-maxlen"]
    line = line ", group=" given["--mcast-group"] ", port=" given["--mcast-port"] ", ttl=" given["--mcast-ttl"] ")\n"
  }
  printf "%s", (w[2] == "master" ? line other : other line) > (root "/daemons"); close(root "/daemons")
  return 1
}

BEGIN {
  root = ENVIRON["LVS_FAKE_ROOT"]; table = root "/ipvs"
  # fault: a kernel that stores another weight than it was told
  while ((getline line < (root "/faults/weights")) > 0) { split(line, w, " "); distorted[w[1]] = w[2] }
  # fault: a kernel that has no room for a certain line of a bulk, nor for the same command alone
  getline refusing < (root "/faults/refuse"); getline refused < (root "/faults/refused")
  load()
  if (ARGV[1] == "-R") {
    # the exit code is the last line's only
    while ((getline line < "-") > 0) {
      if (line ~ /^[ \t]*$/) continue
      if (line ~ /^#/) { code = 255; break }
      if (++number == refusing && refused == "") { refused = line; print line > (root "/faults/refused") }
      code = 0; n = split(line, w, " ")
      run(w, n)
      if (code == 2) break
    }
  } else {
    for (n = 1; n < ARGC; n++) w[n] = ARGV[n]
    run(w, ARGC - 1)
  }
  if (changed) save()
  exit code
}
