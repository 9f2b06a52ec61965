BEGIN { FS = "\t" }
function stack(owner,   part) { split(owner, part, "/"); return part[1] "/" part[2] }
# Returns the address of a service, or of the service of a server. For a firewall mark returns its family.
function vip(thing) {
  sub(/^[A-Za-z]* /, "", thing)
  if (thing ~ /^fwmark:/) return thing ~ /^fwmark:\/\/[0-9]*\/ipv6/ ? "mark6" : "mark4"
  sub(/^[a-z]*:\/\//, "", thing)
  if (sub(/^\[/, "", thing)) sub(/\].*/, "", thing); else sub(/:.*/, "", thing)
  return thing
}
# Returns the first missing setting of the stacks of these owners.
function unsetOf(owners,   o, n, j) {
  n = split(owners, o, "\t")
  for (j = 1; j <= n; j++) if (stack(o[j]) in unset) return unset[stack(o[j])]
  return ""
}
$0 == "--" { all = 1; next }
NF < 5 { next }
!all {
  absent[$3]
  if ($1 == SERVICE || $1 == SERVER) { if (!(vip($3) in lacks)) lacks[vip($3)] = $3 }
  else if (index($0, "arp_ignore") || index($0, "arp_announce")) { if (loud == "") loud = $3 }
  else if ($2 == "setting" && $1 < TABLE && !(stack($4) in unset)) unset[stack($4)] = $3
  next
}
$1 == SERVICE { services[vip($3)]++; if ($3 in absent) gone[vip($3)]++ }
# Owners that share a thing have a record each. It is made once, and waits for the settings of all of them.
$1 >= ADDRESS && ($3 in first) { owners[first[$3]] = owners[first[$3]] "\t" $4; next }
$1 >= ADDRESS { line[++n] = $0; first[$3] = n; owners[n] = $4 }
END {
  for (i = 1; i <= n; i++) {
    split(line[i], f, "\t")
    if (f[1] != ADDRESS) continue
    address = interface = f[3]
    sub(/^[^\/]*\//, "", address); sub(/^[^ ]* /, "", interface); sub(/\/.*/, "", interface)
    own = address in services; mark = address ~ /:/ ? "mark6" : "mark4"
    why = ""
    if (loud != "" && address !~ /:/ && (!own || interface == "lo")) why = loud
    else if (own && gone[address] == services[address]) why = lacks[address]
    else if (overdue) why = ""
    else if (address in lacks) why = lacks[address]
    else if (!own && mark in lacks) why = lacks[mark]
    else why = unsetOf(owners[i])
    if (why != "") { waits[i] = why; held[address] = f[3] }
  }
  for (i = 1; i <= n; i++) {
    m = split(line[i], f, "\t")
    # A route cannot send from an address that is missing.
    if (f[1] != ADDRESS)
      for (j = 6; j < m; j++) if (f[j] == "src" && f[j + 1] in held) waits[i] = held[f[j + 1]]
    print i in waits ? "wait\t" f[3] "\t" waits[i] : "go\t" line[i]
  }
}
