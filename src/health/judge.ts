/**
 * The judgement: awk (POSIX; no quote ' may be in it) that reads whatever is known, line by line, and prints what is to be done.
 * It changes nothing itself and knows no clock, so it can be asked again with the lock held.
 *
 * In: files of monitors (monitor-file.ts), records of what is declared (declared.ts), `verdict STATE REASON SPEC…` of each check,
 * `maintenance NAME`, lines of draining and of health, `kept …` of its own from last time, `now EPOCH TEXT`, and the table.
 * Out: a line for each distinct check, `--`, and then `quiet`, or `do PHASE SERVICE COMMAND` in order, `health …`, `kept …`, `log FILE TEXT`.
 */
export const judge = String.raw`
BEGIN { FS = "\t"; tab = "\t" }
$1 == "now" { epoch = $2; now = $3; next }
$1 == "maintenance" { resting[$2]; next }
$1 == "verdict" { spec = $0; sub(/^verdict\t[^\t]*\t[^\t]*\t/, "", spec); verdict[spec] = $2; reason[spec] = $3; next }
$1 == "service" { s = $2; if (!(s in configured)) { configured[s]; service[++services] = s } next }
$1 == "check" { conf[s, $2, $3] = $4; next }
$1 ~ /^(interval|rise|fall|connect|timeout|action|last|quorum|hysteresis|slow|log)$/ { conf[s, $1] = $2; next }
$1 == "sorry" { sorry[s] = $2; how[s] = $3; sorryWeight[s] = $4; next }
$1 == "kept" { keptWas = keptWas $0 "\n"; if ($2 == "service") { quorumWas[$3] = $4; sorryWas[$3] = $5 } else if ($2 == "redo") redo = 1
  else { serving[$3, $4] = $5; since[$3, $4] = $6 } next }
$2 == "object" && $3 ~ /^RealServer / && $5 == "server" { declare(substr($3, 12), "ipvsadm -a" words()); next }
$2 == "object" && $3 ~ /^VirtualService / && $5 == "service" { makes[substr($3, 16)] = "ipvsadm -A" words(); next }
NF == 3 && $1 ~ /:\/\// { draining[$1, $2]; next }
NF >= 4 && $1 ~ /:\/\// { healthWas = healthWas "health" tab $0 "\n"; was[$1, $2] = $3; entered[$1, $2] = $4; next }
/^-[Aa] / { entry($0) }

# arguments of a record
function words(   i, text) { for (i = 6; i <= NF; i++) text = text " " $i; return text }
function entry(line,   n, w, i, s, m) {
  n = split(line, w, " ")
  for (i = 2; i <= n; i++) {
    if (w[i] == "-t") s = "tcp://" w[i + 1]
    else if (w[i] == "-u") s = "udp://" w[i + 1]
    else if (w[i] == "-f") s = "fwmark://" w[i + 1] (w[i + 2] == "-6" ? "/" "ipv6" : "")
    else if (w[i] == "-r") m = w[i + 1]
    else if (w[i] ~ /^-[gmi]$/) forward[s, m] = w[i]
    else if (w[i] == "-w") weight[s, m] = w[i + 1]
  }
  if (w[1] == "-A") inTable[s]; else inTable[s, m]
}
# ipvsadm -a SERVICE -r MEMBER …: kept in halves around the weight
function declare(id, commands,   n, w, i, s, m, k) {
  match(id, /\/[^\/]*$/); s = substr(id, 1, RSTART - 1); m = substr(id, RSTART + 1); k = s SUBSEP m
  if (!(k in share)) member[s, ++members[s]] = m
  target[k] = options[k] = ""; share[k] = 1
  n = split(commands, w, " ")
  for (i = 3; i <= n; i++) {
    if (w[i] == "-w") share[k] = w[++i]
    else if (w[i] ~ /^-[xygmi]$/ || options[k] != "") options[k] = options[k] " " w[i]
    else target[k] = target[k] " " w[i]
    if (w[i] ~ /^-[gmi]$/) by[k] = w[i]
  }
}
function edit(verb, k, w) { return "ipvsadm " verb target[k] (verb == "-d" ? "" : options[k] " -w " w) }
function differs(k, w) { return forward[k] != by[k] || weight[k] + 0 != w + 0 }
function addressOf(m) { sub(/:[0-9]*$/, "", m); gsub(/[][]/, "", m); return m }
function portOf(m) { sub(/^.*:/, "", m); return m }
# what a server is checked by: an override, or what holds for all
function given(s, m, name) {
  if ((s, m, name) in conf) return conf[s, m, name]
  # of another way of asking nothing holds for this one
  return (s, m, "type") in conf && conf[s, m, "type"] != conf[s, "*", "type"] ? "" : conf[s, "*", name]
}
function specOf(s, m,   n, names, i, v, p, text) {
  p = given(s, m, "port")
  if (p == "") p = portOf(m)
  if (p == 0 && s !~ /^fwmark/) p = portOf(s)
  if (p == 0) p = given(s, m, "type") == "https" ? 443 : 80
  text = "address=" addressOf(m) tab "port=" p
  n = split("type path body status host verify query command through", names, " ")
  for (i = 1; i <= n; i++) if ((v = given(s, m, names[i])) != "") text = text tab names[i] "=" v
  if (given(s, m, "through") == "vip") {
    v = given(s, m, "vip"); if (v == "") { v = s; sub(/^[a-z]*:\/\//, "", v); v = addressOf(v) }
    text = text tab "vip=" v
  }
  return text tab "connect=" conf[s, "connect"] tab "timeout=" conf[s, "timeout"] tab "interval=" conf[s, "interval"] tab "rise=" conf[s, "rise"] tab "fall=" conf[s, "fall"]
}
function plan(phase, s, command) { todo[phase] = todo[phase] "do" tab phase tab s tab command "\n" }

function judge(s,   i, m, k, v, spec, sum, able, up, wants, w, state, serves, why, left, before, had, stay, away, anybody, keeps, revives) {
  wants = s in sorry && !((s, sorry[s]) in share)
  for (i = 1; i <= members[s]; i++) {
    k = s SUBSEP (m = member[s, i]); spec = specOf(s, m); v = verdict[spec]; text[k] = reason[spec]
    if (v == "blind") text[k] = "not checked: " text[k]
    if (!(k in serving)) serving[k] = k in inTable
    paused[k] = (m in resting) || (addressOf(m) in resting)
    # without a verdict it is as it was, and at first as the table says
    isUp[k] = v == "up" || (v != "down" && serving[k])
    isDown[k] = v == "down"
    fit[k] = isUp[k] && !paused[k] && !(k in draining)
    if (fit[k]) sum += share[k]
    # one of weight 0 serves nobody, however well it is
    if (fit[k] && share[k] > 0) able++
    if (paused[k] || k in draining || v == "") away++; else if (serving[k] && share[k] > 0) stay++
  }
  before = s in quorumWas ? quorumWas[s] : 1
  up = !wants || sum >= conf[s, "quorum"] + (before ? -1 : 1) * conf[s, "hysteresis"]
  if (!(s in inTable) && s in makes) { plan(1, s, makes[s]); inTable[s] }
  # not there, and not declared: nothing can be behind it
  if (!(s in inTable)) return
  # the last one stays; and where a sorry server went that was all there was, all are back
  anybody = able || wants
  keeps = !anybody && conf[s, "last"] == "keep"
  revives = keeps && !stay && !away
  for (i = 1; i <= members[s]; i++) {
    k = s SUBSEP (m = member[s, i]); why = text[k]; serves = 0; state = "down"
    had = k in was ? was[k] : ""
    left = conf[s, "action"] == "quiesce" ? 0 : -1
    if (k in draining) { if (isUp[k]) state = "up"; left = -2 }
    else if (paused[k]) { state = "maintenance"; if (!isDown[k]) left = 0; if (!anybody && !(keeps && stay)) why = (why == "" ? "" : why "; ") "nobody else serves" }
    else if (fit[k] && up) {
      serves = 1; state = "up"
      if (had != "" && had != "up" && had != "rising" && conf[s, "slow"] > 0 && share[k] > 1) { since[k] = epoch; state = "rising" }
      if (conf[s, "slow"] > 0 && share[k] == 1) why = (why == "" ? "" : why "; ") "no slow start: it needs a weight above 1"
      if (had == "rising" && share[k] > 1 && epoch - since[k] < conf[s, "slow"]) state = "rising"
    }
    else if (keeps && (serving[k] || (revives && share[k] > 0))) { serves = 1; why = why (serving[k] ? "; stays, because it is the last" : "; serves, because nobody else does") }
    else if (fit[k]) why = "the quorum of " conf[s, "quorum"] " is not reached: " sum + 0
    else if (why == "") why = "has not answered yet"
    w = share[k]
    if (state == "rising") { w = int(w * (epoch - since[k]) / conf[s, "slow"]); if (w < 1) w = share[k] > 0 }
    if (serves) {
      if (!(k in inTable)) plan(3, s, edit("-a", k, w))
      else if ((state == "rising" || (had != "" && had != "up") || redo) && differs(k, w)) plan(3, s, edit("-e", k, w))
    }
    else if (left == -1 && k in inTable) plan(4, s, edit("-d", k))
    else if (left == 0 && !(k in inTable)) plan(3, s, edit("-a", k, 0))
    else if (left == 0 && differs(k, 0)) plan(4, s, edit("-e", k, 0))
    if (serves != serving[k] && !paused[k] && had != "maintenance" && !(k in draining) && conf[s, "log"] != "")
      logs = logs "log" tab conf[s, "log"] tab now ", " addressOf(m) (serves ? " is back." : " is gone.") "\n"
    show(s, m, state, why)
    kept = kept "kept" tab "server" tab s tab m tab serves tab since[k] + 0 "\n"
  }
  if (wants) {
    k = s SUBSEP sorry[s]
    target[k] = " " flagsOf(s) " -r " sorry[s]; options[k] = " " (how[s] == "masquerading" ? "-m" : "-g")
    if (!up && !(k in inTable)) plan(2, s, edit("-a", k, sorryWeight[s]))
    if (up && k in inTable) plan(5, s, edit("-d", k))
    if (!up) show(s, sorry[s], "sorry", "serves, because too few others do")
  } else if (s in sorry) note = note "note" tab s ": the sorry server " sorry[s] " is one of its real servers" "\n"
  dropSorry(s)
  kept = kept "kept" tab "service" tab s tab up + 0 tab sorry[s] "\n"
}
function show(s, m, state, why) {
  if (!((s, m) in was) || was[s, m] != state) entered[s, m] = now
  health = health "health" tab s tab m tab state tab entered[s, m] tab why "\n"
}
function flagsOf(s) {
  if (sub(/^tcp:\/\//, "-t ", s) || sub(/^udp:\/\//, "-u ", s)) return s
  sub(/^fwmark:\/\//, "-f ", s); sub(/\/ipv6$/, " -6", s); return s
}
# one that the file no longer names
function dropSorry(s,   k) {
  k = s SUBSEP sorryWas[s]
  if (sorryWas[s] != "" && sorryWas[s] != sorry[s] && k in inTable && !(k in share)) plan(5, s, "ipvsadm -d " flagsOf(s) " -r " sorryWas[s])
}
# nobody watches it any more: as declared
function giveBack(s,   i, k) {
  for (i = 1; i <= members[s]; i++) {
    k = s SUBSEP member[s, i]
    if (!(s in inTable) || !(k in was) || was[k] == "up" || k in draining) continue
    if (!(k in inTable)) plan(3, s, edit("-a", k, share[k])); else if (differs(k, share[k])) plan(3, s, edit("-e", k, share[k]))
  }
  dropSorry(s)
}

END {
  for (i = 1; i <= services; i++) {
    s = service[i]
    for (j = 1; j <= members[s]; j++) if (!((spec = specOf(s, member[s, j])) in listed)) { listed[spec]; print spec }
    judge(s)
  }
  print "--"
  for (s in quorumWas) if (!(s in configured)) giveBack(s)
  for (i = 1; i <= 5; i++) doing = doing todo[i]
  # as it is already: whoever asked need not look further
  if (doing logs == "" && health == healthWas && kept == keptWas) { print "quiet"; exit }
  printf "%s", doing
  printf "%s%s%s%s", health, kept, logs, note
}
`;
