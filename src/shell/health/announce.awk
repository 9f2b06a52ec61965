# Routes that a routing daemon exports. A pair is ADDRESS, a tab and TABLE.
function isTable(x) { return isNumber(x) && x > 0 && x < 4294967296 && (x < 253 || x > 255) }
# Reads announce ADDRESS TABLE WEIGHT of a monitor.
function readAnnounce() {
  if (NF != 4 || !isAddress($2) || !isTable($3) || !isNumber($4)) return 0
  announces[s] = $2 tab $3; needs[s] = $4; announceCount++; return 1
}
# Reads a line of ip-route(8) with numbers instead of names. Ignores routes that the agent does not make.
function readRoute(line,   w, n, i, of) {
  n = split(line, w, " ")
  if (!isAddress(w[1]) || w[2] != "dev" || w[3] != "lo") return
  for (i = 4; i < n; i++) if (w[i] == "table") of = w[i + 1]
  if (isTable(of) && !((w[1] tab of) in hasRoute)) { hasRoute[w[1] tab of]; route[++routeCount] = w[1] tab of }
}
# Asks the supervisor to read the routes.
function announcing() { return announceCount || routeCount ? "announces\n" : "" }
# isReached SERVICE PAIR: returns whether enough servers are up. A route that is there stays while results are open.
function isReached(virtual, pair) {
  if (!(virtual in inTable) && !(virtual in makes)) return 0
  return (pair in hasRoute ? fitWeight[virtual] : provenWeight[virtual]) + 0 >= needs[virtual] + 0
}
# evaluateRoutes: plans routes. A route is there while all services that name it reach their weight.
function evaluateRoutes(   i, virtual, pair, pairs, count) {
  if (!hasRoutes) return
  for (i = 1; i <= services; i++) {
    virtual = service[i]
    if (!(virtual in announces)) continue
    pair = announces[virtual]
    if (!(pair in isReady)) { pairs[++count] = pair; isReady[pair] = 1 }
    names[pair] = names[pair] (names[pair] == "" ? "" : " ") virtual
    if (!isReached(virtual, pair)) isReady[pair] = 0
  }
  for (i = 1; i <= routeCount; i++)
    if (!isReady[route[i]]) { plan(0, "-", "withdraw" tab route[i]); withdrawn[route[i]] = epoch }
  for (i = 1; i <= count; i++) {
    pair = pairs[i]
    if (isReady[pair]) { if (!(pair in hasRoute)) plan(6, names[pair], "announce" tab pair) }
    else if (pair in withdrawn && epoch >= withdrawn[pair] && epoch - withdrawn[pair] < 5) {
      leaving[pair]; kept[++keptCount] = "kept" tab "withdrawn" tab pair tab withdrawn[pair]
    }
  }
}
# isLeaving SERVICE: returns whether its route went less than 5 seconds ago. Routers may still send new connections, so
# servers in maintenance go on for that time.
function isLeaving(virtual) { return virtual in announces && announces[virtual] in leaving }
