BEGIN {
  FS = "\t"; tab = "\t"
  # The fields of a check, and the form of each (src/values/health-check.ts).
  checkCount = split(CHECK_FORMS, pairs, tab)
  for (i = 1; i <= checkCount; i++) {
    checkNames[i] = substr(pairs[i], 1, index(pairs[i], "=") - 1)
    checkForm[checkNames[i]] = substr(pairs[i], index(pairs[i], "=") + 1)
  }
  split("interval=5 connect=1 timeout=3 rise=3 fall=3 slow=0 quorum=1 hysteresis=0 action=remove last=keep " \
    "log=", pairs, " ")
  for (i in pairs) usual[substr(pairs[i], 1, index(pairs[i], "=") - 1)] = substr(pairs[i], index(pairs[i], "=") + 1)
}
from == "given" { readGiven(); next }
from == "monitor" { if (FNR == 1) s = ""; if (!readMonitor()) noteMalformed(); next }
from == "record" { if (!readRecord()) noteMalformed(); next }
from == "result" && FILENAME !~ /\/[0-9]+$/ { next }
from == "result" { if (!readResult()) noteMalformed(); next }
from == "draining" {
  if (isService($1) && isServer($2) && isNumber($3) && NF == 3) draining[$1, $2]; else noteMalformed()
  next
}
# The agent writes these two files anew anyway, without such a line.
from == "health" { if (!readHealth()) { healthWas[++healthWasCount] = "?"; noteMalformed() } next }
from == "kept" { if (!readKept()) { keptWas[++keptWasCount] = "?"; noteMalformed() } next }

function noteMalformed() {
  if (!(FILENAME in malformed)) malformedFiles[++malformedCount] = FILENAME
  if (!malformed[FILENAME]++) malformedLine[FILENAME] = FNR
}
# Returns a line for each file with ignored lines.
function ignored(   i, f, text, name) {
  for (i = 1; i <= malformedCount && i <= 20; i++) {
    name = f = malformedFiles[i]; gsub(/[^ -~]/, "?", name)
    text = text "ignored" tab substr(name, 1, 200) ": line " malformedLine[f]
    text = text (malformed[f] > 1 ? " and " malformed[f] - 1 " more are" : " is") " not understood, and ignored\n"
  }
  if (oddName != "") text = text "ignored" tab "maintenance file " oddName ": its name is not an address, and ignored\n"
  return text
}

function isNumber(x) { return x ~ /^(0|[1-9][0-9]*)$/ && length(x) < 11 }
function isPort(x) { return isNumber(x) && x + 0 <= 65535 }
function isIpv4(x,   n, parts, i) {
  n = split(x, parts, ".")
  for (i = 1; i <= n; i++) if (!isNumber(parts[i]) || parts[i] + 0 > 255) return 0
  return n == 4
}
function isIpv6(x) { return x ~ /^[0-9a-f:]*:[0-9a-f]*:[0-9a-f:.]*$/ && length(x) < 46 }
function isAddress(x) { return isIpv4(x) || isIpv6(x) }
# isServer, isService WORD: return whether the word has the form. Each line of each file has the same few words, so a
# word is examined once.
function isServer(x) { if (!(x in isKnownServer)) isKnownServer[x] = looksLikeServer(x); return isKnownServer[x] }
function isService(x) { if (!(x in isKnownService)) isKnownService[x] = looksLikeService(x); return isKnownService[x] }
# Returns whether the word is ADDRESS:PORT, with an IPv6 address in brackets.
function looksLikeServer(x,   at) {
  at = x
  if (!sub(/:[0-9]+$/, "", at) || !isPort(substr(x, length(at) + 2))) return 0
  return at ~ /^\[.*\]$/ ? isIpv6(substr(at, 2, length(at) - 2)) : isIpv4(at)
}
function looksLikeService(x) {
  if (x ~ /^(tcp|udp):\/\//) return isServer(substr(x, 7))
  if (!sub(/^fwmark:\/\//, "", x)) return 0
  sub(/\/ipv6$/, "", x); return isNumber(x)
}
# Returns whether the text is a port, an address, or matches.
function hasForm(form, x) { return form == "port" ? isPort(x) : form == "address" ? isAddress(x) : x ~ form }
# Returns whether the text is one line without control characters.
function isText(x, most) { return x !~ /[\001-\037\177]/ && length(x) <= most }
function isDate(x) { return x ~ /^[0-9: -]*$/ && length(x) < 30 }
function forwardingOf(flag) {
  return flag == "-g" ? "gatewaying" : flag == "-m" ? "masquerading" : flag == "-i" ? "tunneling" : ""
}

# Reads the output of the supervisor: now EPOCH TEXT, maintenance NAME, odd NAME, the table, restoring, routes and the
# routes if it has read them, and whole at the end. The monitor ignores all other lines of the table.
function readGiven(   name) {
  name = tolower($2)
  if (name ~ /^\[[^\]]*\]$/ || name ~ /^\[[0-9.]*\]:/) gsub(/[][]/, "", name)
  if ($1 == "now" && NF == 3 && isNumber($2) && isDate($3)) { epoch = $2; now = $3 }
  else if ($1 == "maintenance" && (isAddress(name) || isServer(name))) resting[name]
  else if ($1 == "maintenance" || $1 == "odd") oddName = $2
  else if ($0 == "whole") whole = 1
  else if ($0 == "restoring") isRestoring = 1
  else if ($0 == "routes") hasRoutes = 1
  else if (hasRoutes) readRoute($0)
  else if ($0 ~ /^-[Aa] /) entry($0)
}
function entry(line,   n, w, i, of, m, f, weighs) {
  n = split(line, w, " ")
  for (i = 2; i <= n; i++) {
    if (w[i] == "-t") of = "tcp://" w[i + 1]
    else if (w[i] == "-u") of = "udp://" w[i + 1]
    else if (w[i] == "-f") of = "fwmark://" w[i + 1] (w[i + 2] == "-6" ? "/" "ipv6" : "")
    else if (w[i] == "-r") m = w[i + 1]
    else if (w[i] == "-w") weighs = w[i + 1]
    else if (forwardingOf(w[i]) != "") f = forwardingOf(w[i])
  }
  if (!isService(of)) return
  if (w[1] == "-A") { inTable[of]; return }
  if (!isServer(m)) return
  inTable[of, m]; tableForward[of, m] = f; tableWeight[of, m] = weighs
}
# Reads the file of a monitor (src/health/monitor.ts).
function readMonitor(   name) {
  if ($0 == "" || $0 ~ /^#/) return 1
  if ($1 == "service") {
    if (NF != 2 || !isService($2)) return 0
    s = $2
    if (!(s in configured)) { configured[s]; service[++services] = s; for (name in usual) conf[s, name] = usual[name] }
    return 1
  }
  if (s == "") return 0
  if ($1 == "check") return readCheck()
  if ($1 == "announce") return readAnnounce()
  if ($1 == "sorry") {
    if (NF != 4 || !isServer($2) || $3 !~ /^(gatewaying|masquerading)$/ || !isNumber($4)) return 0
    sorry[s] = $2; sorryForwarding[s] = $3; sorryWeight[s] = $4; return 1
  }
  if (NF != 2 || !($1 in usual)) return 0
  if ($1 == "log") { if ($2 != "" && ($2 !~ /^\/[A-Za-z0-9._\/-]*$/ || length($2) > 200)) return 0 }
  else if ($1 == "action") { if ($2 !~ /^(remove|quiesce)$/) return 0 }
  else if ($1 == "last") { if ($2 !~ /^(keep|remove)$/) return 0 }
  else if (!isNumber($2)) return 0
  conf[s, $1] = $2; return 1
}
# Reads check SERVER, or check SERVER NAME VALUE. * stands for all servers.
function readCheck() {
  if ($2 != "*" && !isServer($2)) return 0
  if (NF == 2) return 1
  if (NF != 4 || !isText($4, 4000) || !($3 in checkForm) || !hasForm(checkForm[$3], $4)) return 0
  conf[s, $2, $3] = $4; if ($2 != "*") hasOwnCheck[s, $2]
  return 1
}
# Reads a record (facts/ledger.ts). The monitor needs those of real servers and of services.
function readRecord(   id, of, m, i, words) {
  if ($0 == "") return 1
  if (NF < 5 || $1 !~ /^[0-9][0-9]$/ || $2 !~ /^(object|setting)$/) return 0
  if ($3 !~ /^[A-Za-z]+ ./ || !isText($3, 4000)) return 0
  if ($2 != "object") return 1
  id = $3; sub(/^[A-Za-z]+ /, "", id)
  if ($1 != SERVICE && $1 != SERVER) return 1
  # Older versions kept a line of shell. It is read as the words that they wrote.
  words = $5; for (i = 6; i <= NF; i++) words = words " " $i
  gsub(/\047/, "", words); sub(/^ipvsadm -A /, "service ", words); sub(/^ipvsadm -a /, "server ", words)
  if ($1 == SERVICE) return isService(id) && readWords(words, id, "")
  match(id, /\/[^\/]*$/); of = substr(id, 1, RSTART - 1); m = substr(id, RSTART + 1)
  return isService(of) && isServer(m) && readWords(words, of, m)
}
# Reads service FLAGS -s SCHEDULER [-p SECONDS] [-M MASK] [-b SCHEDULER-FLAGS], or
# server FLAGS -r MEMBER FORWARDING -w WEIGHT [OPTION NUMBER]... with the options of SERVER_NUMBERS.
function readWords(text, of, m,   n, w, i, k, got, more) {
  n = split(text, w, " ")
  got["-p"] = got["-M"] = got["-b"] = "-"; got["-w"] = 1; more = ""
  if (w[1] != (m == "" ? "service" : "server")) return 0
  for (i = 2; i <= n; i++) {
    if (w[i] ~ /^-[tuf]$/) { if (serviceOf(w[i], w[i + 1], w[i + 2]) != of) return 0; i += w[i + 2] == "-6" ? 2 : 1 }
    else if (m != "" && forwardingOf(w[i]) != "") got["by"] = forwardingOf(w[i])
    else if (m != "" && w[i] == "-r") { if (w[++i] != m) return 0 }
    else if (m != "" && index(" " SERVER_NUMBERS " ", " " w[i] " ")) {
      if (!isNumber(w[i + 1])) return 0
      if (w[i] == "-w") got["-w"] = w[i + 1]; else if (w[i + 1] > 0) more = more " " w[i] " " w[i + 1]
      i++
    }
    else if (m == "" && w[i] == "-s") { if (w[++i] !~ /^[a-z]+$/) return 0; got["-s"] = w[i] }
    else if (m == "" && w[i] == "-p") { if (!isNumber(w[++i])) return 0; got["-p"] = w[i] }
    else if (m == "" && w[i] == "-M") { if (w[++i] !~ /^[0-9.]+$/) return 0; got["-M"] = w[i] }
    else if (m == "" && w[i] == "-b") { if (w[++i] !~ /^[a-z][a-z,-]*$/) return 0; got["-b"] = w[i] }
    else return 0
  }
  if (m == "") {
    if (got["-s"] == "") return 0
    makes[of] = got["-s"] tab got["-p"] tab got["-M"] tab got["-b"]; return 1
  }
  if (got["by"] == "") return 0
  k = of SUBSEP m
  if (!(k in share)) member[of, ++members[of]] = m
  nameOf[k] = m; by[k] = got["by"]; share[k] = got["-w"]; limits[k] = more == "" ? "-" : substr(more, 2)
  return 1
}
function serviceOf(flag, at, six) {
  if (flag == "-f") return "fwmark://" at (six == "-6" ? "/" "ipv6" : "")
  return (flag == "-t" ? "tcp" : "udp") "://" at
}
# Reads result STATE REASON SPEC, the only line in the file of a check. Older agents wrote verdict as the first word.
function readResult(   spec) {
  if (FNR != 1 || NF < 4 || $1 !~ /^(result|verdict)$/) return 0
  if ($2 !~ /^(up|down|blind|blind-up|blind-down)?$/ || !isText($3, 200)) return 0
  spec = $0; sub(/^[a-z]*\t[^\t]*\t[^\t]*\t/, "", spec)
  result[spec] = $2; reason[spec] = $3; return 1
}
# Reads SERVICE SERVER STATE SINCE REASON.
function readHealth() {
  if (NF != 5 || !isService($1) || !isServer($2)) return 0
  if ($3 !~ /^(up|down|maintenance|rising|sorry)$/ || !isDate($4) || !isText($5, 1000)) return 0
  healthWas[++healthWasCount] = "health" tab $0; was[$1, $2] = $3; entered[$1, $2] = $4; return 1
}
# Reads what the agent kept from last time: kept service SERVICE UP SORRY, kept server SERVICE SERVER SERVES SINCE, kept
# withdrawn ADDRESS TABLE EPOCH, kept redo.
function readKept() {
  if ($1 != "kept") return 0
  if ($2 == "redo" && NF == 2) redo = 1
  else if ($2 == "service" && NF == 5 && isService($3) && $4 ~ /^[01]$/ && ($5 == "" || isServer($5))) {
    quorumWas[$3] = $4; sorryWas[$3] = $5
  }
  else if ($2 == "server" && NF == 6 && isService($3) && isServer($4) && $5 ~ /^[01]$/ && isNumber($6)) {
    serving[$3, $4] = $5; since[$3, $4] = $6
  }
  else if ($2 == "withdrawn" && NF == 5 && isAddress($3) && isNumber($4) && isNumber($5)) withdrawn[$3 tab $4] = $5
  else return 0
  keptWas[++keptWasCount] = $0; return 1
}
