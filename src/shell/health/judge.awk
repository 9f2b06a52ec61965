# Fields are never empty, because the shell that reads them takes several tabs for one.
function edit(verb, k, w) {
  return verb tab nameOf[k] (verb == "remove" ? "" : tab by[k] tab w tab upper[k] tab lower[k])
}
function differs(k, w) { return forward[k] != by[k] || weight[k] + 0 != w + 0 }
function addressOf(m) { sub(/:[0-9]*$/, "", m); gsub(/[][]/, "", m); return m }
function portOf(m) { sub(/^.*:/, "", m); return m }
# Returns a field of the check of a server: its override, or the value for all servers.
function given(s, m, name) {
  if ((s, m, name) in conf) return conf[s, m, name]
  # A check of another type takes no values of the common one.
  return (s, m, "type") in conf && conf[s, m, "type"] != conf[s, "*", "type"] ? "" : conf[s, "*", name]
}
# Returns the port that a check connects to.
function checkPort(s, m,   p) {
  p = given(s, m, "port")
  if (p == "") p = portOf(m)
  if (p == 0 && s !~ /^fwmark/) p = portOf(s)
  return p != 0 ? p : given(s, m, "type") == "https" ? 443 : 80
}
# Returns the VIP of a check through the VIP, or the address of the service if the check names none.
function checkVip(s, m,   v) {
  if (given(s, m, "through") != "vip") return ""
  v = given(s, m, "vip")
  if (v == "") { v = s; sub(/^[a-z]*:\/\//, "", v); v = addressOf(v) }
  return v
}
# Returns the check of a server: address, all fields of a check, and the times and counts of the monitor.
function specOf(s, m,   n, names, i, name, text) {
  text = "address=" addressOf(m)
  for (i = 1; i <= checkCount; i++) {
    name = checkNames[i]
    text = text tab name "=" (name == "port" ? checkPort(s, m) : name == "vip" ? checkVip(s, m) : given(s, m, name))
  }
  n = split("connect timeout interval rise fall", names, " ")
  for (i = 1; i <= n; i++) text = text tab names[i] "=" conf[s, names[i]]
  return text
}
function plan(phase, s, change) { todo[phase] = todo[phase] "do" tab phase tab s tab change "\n" }

function judge(s,   i, m, k, v, spec, sum, able, up, wants, w, state, serves, why, left, before, had, stay, away,
               anybody, blind, keeps, revives) {
  wants = s in sorry && !((s, sorry[s]) in share)
  for (i = 1; i <= members[s]; i++) {
    k = s SUBSEP (m = member[s, i]); spec = specOf(s, m); v = verdict[spec]; text[k] = reason[spec]
    # The last result stays valid.
    blind = sub(/^blind-?/, "", v)
    if (blind) text[k] = "cannot be checked: " text[k]
    if (!(k in serving)) serving[k] = k in inTable
    paused[k] = (m in resting) || (addressOf(m) in resting)
    # Without a result the server stays as it was. At first the table decides.
    isUp[k] = v == "up" || (v != "down" && serving[k])
    isDown[k] = v == "down"
    fit[k] = isUp[k] && !paused[k] && !(k in draining)
    if (fit[k]) sum += share[k]
    # A server of weight 0 takes no clients, even if it is well.
    if (fit[k] && share[k] > 0) able++
    if (paused[k] || k in draining || (v == "" && !blind)) away++; else if (serving[k] && share[k] > 0) stay++
  }
  before = s in quorumWas ? quorumWas[s] : 1
  up = !wants || sum >= conf[s, "quorum"] + (before ? -1 : 1) * conf[s, "hysteresis"]
  if (!(s in inTable) && s in makes) { plan(1, s, "service" tab makes[s]); inTable[s] }
  # A service that neither exists nor is declared has no servers.
  if (!(s in inTable)) return
  # The last server stays. If a sorry server was the only one left and is gone, all servers return.
  anybody = able || wants
  keeps = !anybody && conf[s, "last"] == "keep"
  revives = keeps && !stay && !away
  for (i = 1; i <= members[s]; i++) {
    k = s SUBSEP (m = member[s, i]); why = text[k]; serves = 0; state = "down"
    had = k in was ? was[k] : ""
    left = conf[s, "action"] == "quiesce" ? 0 : -1
    if (k in draining) { if (isUp[k]) state = "up"; left = -2 }
    else if (paused[k]) {
      state = "maintenance"
      if (!isDown[k]) left = 0
      if (!anybody && !(keeps && stay)) why = (why == "" ? "" : why "; ") "no other server serves"
    }
    else if (fit[k] && up) {
      serves = 1; state = "up"
      if (had != "" && had != "up" && had != "rising" && conf[s, "slow"] > 0 && share[k] > 1) {
        since[k] = epoch; state = "rising"
      }
      if (conf[s, "slow"] > 0 && share[k] == 1)
        why = (why == "" ? "" : why "; ") "no slow start: it needs a weight above 1"
      if (had == "rising" && share[k] > 1 && epoch - since[k] < conf[s, "slow"]) state = "rising"
    }
    else if (keeps && (serving[k] || (revives && share[k] > 0))) {
      serves = 1
      why = why (serving[k] ? "; stays, because it is the last" : "; serves, because no other server does")
    }
    else if (fit[k]) why = "the quorum of " conf[s, "quorum"] " is not reached: " sum + 0
    else if (why == "") why = "has not answered yet"
    w = share[k]
    if (state == "rising") { w = int(w * (epoch - since[k]) / conf[s, "slow"]); if (w < 1) w = share[k] > 0 }
    if (serves) {
      if (!(k in inTable)) plan(3, s, edit("add", k, w))
      else if ((state == "rising" || (had != "" && had != "up") || redo) && differs(k, w))
        plan(3, s, edit("edit", k, w))
    }
    else if (left == -1 && k in inTable) plan(4, s, edit("remove", k))
    else if (left == 0 && !(k in inTable)) plan(3, s, edit("add", k, 0))
    else if (left == 0 && differs(k, 0)) plan(4, s, edit("edit", k, 0))
    if (serves != serving[k] && !paused[k] && had != "maintenance" && !(k in draining) && conf[s, "log"] != "")
      logs = logs "log" tab conf[s, "log"] tab now ", " addressOf(m) (serves ? " is back." : " is gone.") "\n"
    show(s, m, state, why)
    kept = kept "kept" tab "server" tab s tab m tab serves tab since[k] + 0 "\n"
  }
  if (wants) {
    k = s SUBSEP sorry[s]
    nameOf[k] = sorry[s]; by[k] = sorryForwarding[s]; upper[k] = lower[k] = 0
    if (!up && !(k in inTable)) plan(2, s, edit("add", k, sorryWeight[s]))
    if (up && k in inTable) plan(5, s, edit("remove", k))
    if (!up) show(s, sorry[s], "sorry", "serves, because too few others do")
  } else if (s in sorry) note = note "note" tab s ": the sorry server " sorry[s] " is one of its real servers" "\n"
  dropSorry(s)
  kept = kept "kept" tab "service" tab s tab up + 0 tab sorry[s] "\n"
}
function show(s, m, state, why) {
  if (!((s, m) in was) || was[s, m] != state) entered[s, m] = now
  health = health "health" tab s tab m tab state tab entered[s, m] tab why "\n"
}
# Removes a sorry server that the file no longer names.
function dropSorry(s,   k) {
  k = s SUBSEP sorryWas[s]
  if (sorryWas[s] != "" && sorryWas[s] != sorry[s] && k in inTable && !(k in share))
    plan(5, s, "remove" tab sorryWas[s])
}
# Restores the declared state of a service without a monitor.
function giveBack(s,   i, k) {
  for (i = 1; i <= members[s]; i++) {
    k = s SUBSEP member[s, i]
    if (!(s in inTable) || !(k in was) || was[k] == "up" || k in draining) continue
    if (!(k in inTable)) plan(3, s, edit("add", k, share[k]))
    else if (differs(k, share[k])) plan(3, s, edit("edit", k, share[k]))
  }
  dropSorry(s)
}

END {
  # Without all input, for want of processes, there is no result.
  if (!whole) exit 1
  for (i = 1; i <= services; i++) {
    s = service[i]
    for (j = 1; j <= members[s]; j++) if (!((spec = specOf(s, member[s, j])) in listed)) { listed[spec]; print spec }
    judge(s)
  }
  print "--"
  for (s in quorumWas) if (!(s in configured)) giveBack(s)
  for (i = 1; i <= 5; i++) doing = doing todo[i]
  # Nothing changes: the supervisor can stop here.
  if (doing logs == "" && health == healthWas && kept == keptWas) { printf "quiet\n%s", ignored(); exit }
  printf "%s", doing
  printf "%s%s%s%s%s", health, kept, logs, note, ignored()
}
