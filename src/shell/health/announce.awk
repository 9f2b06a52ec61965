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
# Asks the supervisor to read the routes, and returns what it reports of them.
function announcing() { return (announceCount || routeCount ? "announces\n" : "") held }
# isReached SERVICE PAIR: returns whether enough servers are up. A route that is there stays while results are open.
function isReached(virtual, pair) {
  if (!(virtual in inTable) && !(virtual in makes)) return 0
  return (pair in hasRoute ? fitWeight[virtual] : provenWeight[virtual]) + 0 >= needs[virtual] + 0
}
# evaluateRoutes: plans routes. A route is there while all services that name it reach their weight. None is added while
# the restore of a boot goes on or has failed, because the address may be missing.
function evaluateRoutes(   i, virtual, pair, pairs, count, isFresh) {
  if (!hasRoutes) return
  for (i = 1; i <= services; i++) {
    virtual = service[i]
    if (!(virtual in announces)) continue
    pair = announces[virtual]
    if (!(pair in isReady)) { pairs[++count] = pair; isReady[pair] = 1 }
    names[pair] = names[pair] (names[pair] == "" ? "" : " ") virtual
    if (!isReached(virtual, pair)) isReady[pair] = 0
  }
  for (i = 1; i <= routeCount; i++) {
    pair = route[i]
    if (isReady[pair]) continue
    plan(0, "-", "withdraw" tab pair)
    if (!(pair in withdrawn)) withdrawn[pair] = epoch
  }
  for (i = 1; i <= count; i++) {
    pair = pairs[i]
    if (isReady[pair]) { if (!(pair in hasRoute)) announce(pair) }
    else if (pair in withdrawn) {
      isFresh = epoch >= withdrawn[pair] && epoch - withdrawn[pair] < 5
      if (isFresh) leaving[pair]
      # The time of a route that cannot be deleted is the first try.
      if (isFresh || pair in hasRoute) kept[++keptCount] = "kept" tab "withdrawn" tab pair tab withdrawn[pair]
    }
  }
}
function announce(pair,   at) {
  if (!isRestoring) { plan(6, names[pair], "announce" tab pair); return }
  split(pair, at, tab)
  if (!ONCE) held = held "ignored" tab at[1] " is not announced until pulumi-lvs.service has restored all records\n"
}
# isLeaving SERVICE: returns whether its route went less than 5 seconds ago. Routers may still send new connections, so
# servers in maintenance go on for that time.
function isLeaving(virtual) { return virtual in announces && announces[virtual] in leaving }
