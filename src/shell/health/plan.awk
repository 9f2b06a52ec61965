# Reads the files of checks, then the list of wanted ones. Prints drop NUMBER, make NUMBER SPEC, vip NUMBER SPEC, single
# NUMBER, and batch FILE INTERVAL TRIES NUMBER... for checks that one curl does. Writes FILE for curl.
from == "list" { if ($0 != "") wanted[++count] = $0 }
END {
  for (n in file) used[n]
  for (i = 1; i <= count; i++) isWanted[wanted[i]]
  for (n in file) {
    if (n in specs && specs[n] in isWanted && !(specs[n] in at)) at[specs[n]] = n
    else { print "drop\t" n; delete used[n] }
  }
  free = 1
  for (i = 1; i <= count; i++) {
    spec = wanted[i]
    if (!(spec in at)) {
      while (free in used) free++
      used[free]; at[spec] = free
      print "make\t" free "\t" spec
    }
    fieldsOf(spec)
    if (field["through"] == "vip") print "vip\t" at[spec] "\t" spec
    if (isBatched()) addToBatch(at[spec]); else print "single\t" at[spec]
  }
  for (k in numbers) { close(nameOf[k]); print "batch\t" nameOf[k] "\t" every[k] "\t" tries[k] "\t" numbers[k] }
}
# A round lasts as long as its slowest check, so none may last longer than the interval. curl reads all certificates for
# each connection that it verifies, one after the other, while the time of all runs.
function isBatched() {
  if (!MANY || field["type"] !~ /^https?$/ || field["through"] == "vip") return 0
  if (field["type"] == "https" && field["verify"] == "yes") return 0
  return ONCE || field["timeout"] + 0 <= field["interval"] + 0
}
# Adds the check to the batch of its interval. 250 connections and their files need few enough descriptors.
function addToBatch(n,   k) {
  k = part[field["interval"]]
  if (k == "" || requests[nameOf[k]] >= 250) {
    k = part[field["interval"]] = ++batches; every[k] = field["interval"]; nameOf[k] = DIR "/" SERIAL "-" k ".batch"
  }
  addRequest(n, nameOf[k])
  numbers[k] = numbers[k] (numbers[k] == "" ? "" : " ") n
  if (field["fall"] + 0 > tries[k] + 0) tries[k] = field["fall"]
}
