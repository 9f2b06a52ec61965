# Arrays by service and server, besides those of results:
# - of the table: inTable, tableForward, tableWeight; of records: by (the forwarding), share (the weight), limits
# - of last time: was (the state), entered (its time), serving, since (the start of a slow start)
# - of now: isUp, isDown, paused, draining, fit (up, and neither of these two)
# - of what is wanted: serves, otherwise (what becomes of a server that does not serve), stateOf, target (the weight)

# Fields are never empty, because the shell that reads them takes several tabs for one.
function edit(verb, key, share) {
  return verb tab nameOf[key] (verb == "remove" ? "" : tab by[key] tab share tab limits[key])
}
function differs(key, share) { return tableForward[key] != by[key] || tableWeight[key] + 0 != share + 0 }
function addressOf(server) { sub(/:[0-9]*$/, "", server); gsub(/[][]/, "", server); return server }
function portOf(server) { sub(/^.*:/, "", server); return server }
# Returns a field of the check of a server: its override, or the value for all servers.
function given(virtual, server, name) {
  if ((virtual, server, name) in conf) return conf[virtual, server, name]
  # A check of another type takes no values of the common one.
  if ((virtual, server, "type") in conf && conf[virtual, server, "type"] != conf[virtual, "*", "type"]) return ""
  return conf[virtual, "*", name]
}
# Returns the port that a check connects to.
function checkPort(virtual, server,   port) {
  port = given(virtual, server, "port")
  if (port == "") port = portOf(server)
  if (port == 0 && virtual !~ /^fwmark/) port = portOf(virtual)
  return port != 0 ? port : given(virtual, server, "type") == "https" ? 443 : 80
}
# Returns the VIP of a check through the VIP, or the address of the service if the check names none.
function checkVip(virtual, server,   address) {
  if (given(virtual, server, "through") != "vip") return ""
  address = given(virtual, server, "vip")
  if (address == "") { address = virtual; sub(/^[a-z]*:\/\//, "", address); address = addressOf(address) }
  return address
}
# Returns the check of a server: address, all fields of a check, and the times and counts of the monitor. All servers
# without fields of their own share all but address and port.
function specOf(virtual, server,   text) {
  text = "address=" addressOf(server) tab "port=" checkPort(virtual, server)
  if ((virtual, server) in hasOwnCheck) return text fieldsOf(virtual, server)
  if (!(virtual in sharedFields)) sharedFields[virtual] = fieldsOf(virtual, server)
  return text sharedFields[virtual]
}
function fieldsOf(virtual, server,   n, names, i, name, text) {
  for (i = 1; i <= checkCount; i++) {
    name = checkNames[i]
    if (name == "port") continue
    text = text tab name "=" (name == "vip" ? checkVip(virtual, server) : given(virtual, server, name))
  }
  n = split("connect timeout interval rise fall", names, " ")
  for (i = 1; i <= n; i++) text = text tab names[i] "=" conf[virtual, names[i]]
  return text
}
function plan(phase, virtual, change) { todo[phase] = todo[phase] "do" tab phase tab virtual tab change "\n" }
function also(why, more) { return (why == "" ? "" : why "; ") more }

function evaluate(virtual) {
  if (!(virtual in inTable) && virtual in makes) { plan(1, virtual, "service" tab makes[virtual]); inTable[virtual] }
  # A service that neither exists nor is declared has no servers.
  if (!(virtual in inTable)) return
  wishes(virtual)
  commands(virtual)
}

# states SERVICE: sets what is known of each server. For the service it counts the fit servers that take clients (able),
# those that serve now (stay), and those whose result is open (away).
function states(virtual,   i, server, key, spec, state, isBlind) {
  for (i = 1; i <= members[virtual]; i++) {
    server = member[virtual, i]; key = virtual SUBSEP server
    spec = checkOf[key]; state = result[spec]; why[key] = reason[spec]
    # The last result stays valid.
    isBlind = sub(/^blind-?/, "", state)
    if (isBlind) why[key] = "cannot be checked: " why[key]
    if (!(key in serving)) serving[key] = key in inTable
    paused[key] = (server in resting) || (addressOf(server) in resting)
    # Without a result the server stays as it was. At first the table decides.
    isUp[key] = state == "up" || (state != "down" && serving[key])
    isDown[key] = state == "down"
    fit[key] = isUp[key] && !paused[key] && !(key in draining)
    if (fit[key]) fitWeight[virtual] += share[key]
    if (fit[key] && state == "up") provenWeight[virtual] += share[key]
    # A server of weight 0 takes no clients, even if it is well.
    if (fit[key] && share[key] > 0) able[virtual]++
    if (paused[key] || key in draining || (state == "" && !isBlind)) away[virtual]++
    else if (serving[key] && share[key] > 0) stay[virtual]++
  }
}

# wishes SERVICE: sets whether the quorum is reached (up), and for each server its state, whether it serves and with
# which weight. A server that does not serve is left alone, quiesced or removed (otherwise).
function wishes(virtual,   i, before, hasOthers, keeps, revives) {
  hasSorry[virtual] = virtual in sorry && !((virtual, sorry[virtual]) in share)
  before = virtual in quorumWas ? quorumWas[virtual] : 1
  up[virtual] = !hasSorry[virtual] ||
    fitWeight[virtual] >= conf[virtual, "quorum"] + (before ? -1 : 1) * conf[virtual, "hysteresis"]
  # The last server stays. If a sorry server was the only one left and is gone, all servers return.
  hasOthers = able[virtual] || hasSorry[virtual]
  keeps = !hasOthers && conf[virtual, "last"] == "keep"
  revives = keeps && !stay[virtual] && !away[virtual]
  for (i = 1; i <= members[virtual]; i++) wish(virtual, virtual SUBSEP member[virtual, i], hasOthers, keeps, revives)
}
function wish(virtual, key, hasOthers, keeps, revives,   had, slow) {
  had = key in was ? was[key] : ""; slow = conf[virtual, "slow"]
  serves[key] = 0; stateOf[key] = "down"; target[key] = share[key]
  otherwise[key] = conf[virtual, "action"]
  if (key in draining) { if (isUp[key]) stateOf[key] = "up"; otherwise[key] = "leave" }
  else if (paused[key]) {
    stateOf[key] = "maintenance"
    if (!isDown[key]) otherwise[key] = "quiesce"
    if (!hasOthers && !(keeps && stay[virtual])) why[key] = also(why[key], "no other server serves")
  }
  else if (fit[key] && up[virtual]) {
    serves[key] = 1; stateOf[key] = "up"
    if (had != "" && had != "up" && had != "rising" && slow > 0 && share[key] > 1) {
      since[key] = epoch; stateOf[key] = "rising"
    }
    if (slow > 0 && share[key] == 1) why[key] = also(why[key], "no slow start: it needs a weight above 1")
    # A clock that was set back would delay the end until that time comes again.
    if (had == "rising" && epoch < since[key]) since[key] = epoch
    if (had == "rising" && share[key] > 1 && epoch - since[key] < slow) stateOf[key] = "rising"
  }
  else if (keeps && (serving[key] || (revives && share[key] > 0))) {
    serves[key] = 1
    why[key] = why[key] (serving[key] ? "; stays, because it is the last" : "; serves, because no other server does")
  }
  else if (fit[key]) why[key] = "the quorum of " conf[virtual, "quorum"] " is not reached: " fitWeight[virtual] + 0
  else if (why[key] == "") why[key] = "has not answered yet"
  if (stateOf[key] == "rising") {
    target[key] = int(share[key] * (epoch - since[key]) / slow)
    if (target[key] < 1) target[key] = share[key] > 0
  }
}

# commands SERVICE: plans the changes of the table, and prints logs, health and what the agent keeps.
function commands(virtual,   i, server, key, had) {
  for (i = 1; i <= members[virtual]; i++) {
    server = member[virtual, i]; key = virtual SUBSEP server
    had = key in was ? was[key] : ""
    if (serves[key]) {
      if (!(key in inTable)) plan(3, virtual, edit("add", key, target[key]))
      else if ((stateOf[key] == "rising" || (had != "" && had != "up") || redo) && differs(key, target[key]))
        plan(3, virtual, edit("edit", key, target[key]))
    }
    else if (otherwise[key] == "remove" && key in inTable) plan(4, virtual, edit("remove", key))
    else if (otherwise[key] == "quiesce" && !(key in inTable)) plan(3, virtual, edit("add", key, 0))
    else if (otherwise[key] == "quiesce" && !(paused[key] && isLeaving(virtual)) && differs(key, 0))
      plan(4, virtual, edit("edit", key, 0))
    if (serves[key] != serving[key] && !paused[key] && had != "maintenance" && !(key in draining))
      logLine(virtual, addressOf(server) (serves[key] ? " is back." : " is gone."))
    show(virtual, server, stateOf[key], why[key])
    kept[++keptCount] = "kept" tab "server" tab virtual tab server tab serves[key] tab since[key] + 0
  }
  commandsOfSorry(virtual)
  kept[++keptCount] = "kept" tab "service" tab virtual tab up[virtual] + 0 tab sorry[virtual]
}
function commandsOfSorry(virtual,   key) {
  if (hasSorry[virtual]) {
    key = virtual SUBSEP sorry[virtual]
    nameOf[key] = sorry[virtual]; by[key] = sorryForwarding[virtual]; limits[key] = "-"
    if (!up[virtual] && !(key in inTable)) plan(2, virtual, edit("add", key, sorryWeight[virtual]))
    if (up[virtual] && key in inTable) plan(5, virtual, edit("remove", key))
    if (!up[virtual]) show(virtual, sorry[virtual], "sorry", "serves, because too few others do")
  } else if (virtual in sorry)
    note = note "note" tab virtual ": the sorry server " sorry[virtual] " is one of its real servers" "\n"
  dropSorry(virtual)
}
function logLine(virtual, text) {
  if (conf[virtual, "log"] != "") logs = logs "log" tab conf[virtual, "log"] tab now ", " text "\n"
}
function show(virtual, server, state, why) {
  if (!((virtual, server) in was) || was[virtual, server] != state) entered[virtual, server] = now
  health[++healthCount] = "health" tab virtual tab server tab state tab entered[virtual, server] tab why
}
# Removes a sorry server that the file no longer names.
function dropSorry(virtual,   key) {
  key = virtual SUBSEP sorryWas[virtual]
  if (sorryWas[virtual] != "" && sorryWas[virtual] != sorry[virtual] && key in inTable && !(key in share))
    plan(5, virtual, "remove" tab sorryWas[virtual])
}
# Restores the declared state of a service without a monitor.
function giveBack(virtual,   i, key) {
  for (i = 1; i <= members[virtual]; i++) {
    key = virtual SUBSEP member[virtual, i]
    if (!(virtual in inTable) || !(key in was) || was[key] == "up" || key in draining) continue
    if (!(key in inTable)) plan(3, virtual, edit("add", key, share[key]))
    else if (differs(key, share[key])) plan(3, virtual, edit("edit", key, share[key]))
  }
  dropSorry(virtual)
}

END {
  # Without all input, for want of processes, there is no result.
  if (!whole) exit 1
  for (i = 1; i <= services; i++) {
    virtual = service[i]
    for (j = 1; j <= members[virtual]; j++) {
      spec = checkOf[virtual, member[virtual, j]] = specOf(virtual, member[virtual, j])
      if (!(spec in listed)) { listed[spec]; print spec }
    }
    states(virtual)
  }
  evaluateRoutes()
  for (i = 1; i <= services; i++) evaluate(service[i])
  print "--"
  for (virtual in quorumWas) if (!(virtual in configured)) giveBack(virtual)
  for (i = 0; i <= 6; i++) doing = doing todo[i]
  # Nothing changes: the supervisor can stop here.
  if (doing logs == "" && !isOther(health, healthCount, healthWas, healthWasCount) &&
    !isOther(kept, keptCount, keptWas, keptWasCount)) { printf "quiet\n%s%s", announcing(), ignored(); exit }
  printf "%s", doing
  for (i = 1; i <= healthCount; i++) print health[i]
  for (i = 1; i <= keptCount; i++) print kept[i]
  printf "%s%s%s%s", logs, note, announcing(), ignored()
}
function isOther(lines, count, before, countBefore,   i) {
  if (count + 0 != countBefore + 0) return 1
  for (i = 1; i <= count; i++) if (lines[i] != before[i]) return 1
  return 0
}
