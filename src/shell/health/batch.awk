# job=plan: reads the files of checks, then the list of wanted ones. Prints drop NUMBER, make NUMBER SPEC, vip NUMBER
# SPEC, single NUMBER, and batch FILE INTERVAL TRIES NUMBER... for checks that one curl does. Writes FILE for curl.
# job=judge: reads the lines of the rounds of one batch. Prints NUMBER:STATE:REASON SPEC for each changed result. Prints
# done ROUND or again ROUND at its end: again asks for one more curl at once. Prints alone NUMBER for a check that gets
# a process of its own, and apart if all checks need one, because curl ended before its checks did.
function fieldsOf(spec,   n, parts, i, at) {
  split("", field)
  n = split(spec, parts, "\t")
  for (i = 1; i <= n; i++) { at = index(parts[i], "="); field[substr(parts[i], 1, at - 1)] = substr(parts[i], at + 1) }
}
function pageOf(n) { return DIR "/" SERIAL "-" token "-" n ".page" }
function numberOf(file) { sub(/^.*\//, "", file); return file }
# Keeps the line of the file of a check.
function readCheck(   n, spec, state) {
  n = numberOf(FILENAME)
  if (FNR != 1 || $1 != "verdict" || NF < 4) return
  spec = $0; sub(/^verdict\t[^\t]*\t[^\t]*\t/, "", spec)
  specs[n] = spec; state = $2
  last[n] = $2 "\t" $3; because[n] = $3; blind[n] = sub(/^blind-?/, "", state) ? $3 : ""
  verdict[n] = ONCE ? "" : state
}
BEGIN {
  FS = "\t"; most = 1048576; answer = "done"; token = ENVIRON["token"]
  for (i = 1; i < ARGC; i++) if (ARGV[i] ~ /\/[0-9]+$/) { n = numberOf(ARGV[i]); file[n] = ARGV[i]; used[n] }
}
from == "check" { readCheck(); next }
job == "plan" { if ($0 != "") wanted[++count] = $0; next }
{ hear($1) }

# plan
END {
  if (job != "plan") exit
  for (i = 1; i <= count; i++) isWanted[wanted[i]]
  for (n in used) {
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
    if (isBatched()) join(at[spec]); else print "single\t" at[spec]
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
function join(n,   k) {
  k = part[field["interval"]]
  if (k == "" || sizes[k] >= 250) {
    k = part[field["interval"]] = ++batches; every[k] = field["interval"]; nameOf[k] = DIR "/" SERIAL "-" k ".batch"
  }
  if (sizes[k]++) print "next" > nameOf[k]
  numbers[k] = numbers[k] (numbers[k] == "" ? "" : " ") n
  if (field["fall"] + 0 > tries[k] + 0) tries[k] = field["fall"]
  section(n, nameOf[k])
}
function quoted(text) { gsub(/[\\"]/, "\\\\&", text); return "\"" text "\"" }
function section(n, to,   address, name) {
  address = name = field["address"] ~ /:/ ? "[" field["address"] "]" : field["address"]
  if (field["host"] != "") {
    name = field["host"]
    print "connect-to = " quoted("::" address ":" field["port"]) > to
  }
  if (field["type"] == "https") print "insecure" > to
  print "globoff\nno-sessionid\nnoproxy = \"*\"\nheader = \"Connection: close\"\nmax-filesize = " most > to
  print "connect-timeout = " field["connect"] "\nmax-time = " field["timeout"] > to
  print "output = " quoted(pageOf(n)) > to
  print "url = " quoted(field["type"] "://" name ":" field["port"] field["path"]) > to
  # It is last, so that curl reports nothing on a check whose lines are cut off, because there was no room for them.
  # The name of the page has the token. curl writes each variable at once, but text by single characters.
  print "write-out = \"%{stderr}\\n%{filename_effective} %{exitcode} %{http_code} %{time_starttransfer} " \
    "%{size_download} %{errormsg}\\n\"" > to
}

# judge
# hear LINE: begin, end ROUND, none ROUND REASON, ask ROUND, wait NUMBER, own NUMBER REASON, or the line of write-out.
# Before each stands TOKEN, and after it a tab.
function hear(line,   words, n, w) {
  if (index(line, token " ") != 1) return
  line = substr(line, length(token) + 2); sub(/ $/, "", line)
  n = split(line, words, " ")
  if (words[1] == "begin") begin()
  else if (words[1] == "end") end(words[2])
  else if (words[1] == "none") {
    sub(/^none [0-9]+ /, "", line); for (n in specs) { heard[n]; result(n, 3, line) }
    end(words[2])
  }
  else if (words[1] == "ask") done(words[2])
  else if (words[1] == "wait") heard[words[2]]
  else if (words[1] == "own") { sub(/^own [0-9]+ /, "", line); result(words[2], 3, line) }
  # 42: curl ended this transfer after a critical error of another one, such as a header that is too long.
  else if (n >= 5 && words[1] in specs && words[2] != 42) {
    if (n > 5) for (w = 1; w <= 5; w++) sub(/^[^ ]* /, "", line)
    heard[words[1]]
    if (words[2] ~ /^(2|27|41|43|48)$/) critical[words[1]]
    page(words[1], words[2] + 0, words[3], words[4] + 0, words[5] + 0, n > 5 ? line : "")
  }
}
# A file that has another result than the last could not be written, or the batch before this one wrote it late.
function begin(   n, line) {
  leaving = 0
  for (n in lone) print "alone " n
  for (n in heard) if (!ONCE || verdict[n] == "") delete heard[n]
  for (n in specs) {
    if ((getline line < file[n]) > 0 && line != "verdict\t" last[n] "\t" specs[n]) again(n)
    close(file[n])
  }
}
# If curl did not report on all checks, one check ended it. The check with the critical error leaves, and the others
# are checked at once. After three such checks in a round, or if no check had an error, nothing is known of the next.
function end(round,   n, missing) {
  for (n in specs) if (!(n in heard)) { missing = 1; break }
  answer = "done"
  if (missing) for (n in critical) if (n in specs && leaving < 3) { leave(n); answer = "again" }
  if (missing && answer == "done") print "apart"
  split("", critical)
  if (ONCE || partial || answer == "again") write(answer == "again")
  done(round)
}
function leave(n) {
  leaving++
  if (!ONCE || verdict[n] == "") { lone[n]; print "alone " n }
  delete specs[n]
}
# write PARTIAL: writes what curl does next: all checks, or those that it did not report on, or those without a result.
function write(only,   n, to, count) {
  partial = only; to = FILE ".now"
  printf "" > to
  for (n in specs) if (ONCE ? verdict[n] == "" : !only || !(n in heard)) {
    if (count++) print "next" > to
    fieldsOf(specs[n]); section(n, to)
  }
  close(to)
}
function done(round) { print answer " " round; fflush() }
function page(n, rc, code, start, size, words,   seen) {
  sub(/ after [0-9]* m*s[a-z]*/, "", words)
  if (words == "" && rc != 0) words = "curl ended with " rc
  know(n)
  seen = take(pageOf(n), body[n])
  if (rc == 2 || rc == 45 || rc == 66 || rc == 77 || (rc == 27 && start == 0)) result(n, 3, words)
  # The file is not at the limit: there is no room.
  else if (rc == 23 && seen < most) result(n, 3, "the page cannot be stored")
  else if (rc == 63 || rc == 23) result(n, 1, "the page is longer than 1 MB")
  else if (rc != 0) result(n, 1, "no answer: " words)
  else if (index("," status[n] ",", "," code ",") == 0) result(n, 1, "status " code)
  else if (body[n] != "" && !found && seen < size && seen < most) result(n, 3, "the page is lost")
  else if (body[n] != "" && !found) result(n, 1, "the page does not contain " body[n])
  else result(n, 0, "")
}
# take FILE TEXT: sets found, empties the file and returns its size.
function take(name, text,   line, seen) {
  found = seen = 0
  while ((getline line < name) > 0) { seen += length(line) + 1; if (index(line, text)) found = 1 }
  close(name)
  if (seen) { printf "" > name; close(name) }
  return seen
}
# know NUMBER: sets what a check wants, once.
function know(n) {
  if (n in status) return
  fieldsOf(specs[n])
  status[n] = field["status"]; body[n] = field["body"]; rise[n] = field["rise"] + 0; fall[n] = field["fall"] + 0
}
# result NUMBER CODE REASON: counts. 0: well. 1: failed. 3: says nothing about the server.
function result(n, rc, why) {
  if (!(n in specs) || (ONCE && verdict[n] != "")) return
  if (why != "") { gsub(/[^ -~]/, "?", why); why = substr(why, 1, 200) }
  know(n)
  if (rc == 0) { good[n]++; bad[n] = 0; conclude(n, "up", "", good[n], ONCE ? 1 : rise[n]) }
  else if (rc == 1) { bad[n]++; good[n] = 0; conclude(n, "down", why, bad[n], fall[n]) }
  else if (blind[n] != why) {
    blind[n] = why
    last[n] = "blind" (verdict[n] == "" ? "" : "-") verdict[n] "\t" why; again(n)
  }
}
function conclude(n, state, why, times, limit) {
  if (verdict[n] != state && times >= limit) { verdict[n] = state; because[n] = why }
  else {
    if (blind[n] == "") return
    if (verdict[n] == state) because[n] = why
  }
  if (verdict[n] == "") because[n] = ""
  blind[n] = ""
  last[n] = verdict[n] "\t" because[n]; again(n)
}
function again(n,   parts) {
  split(last[n], parts, "\t")
  print n ":" parts[1] ":" parts[2] "\t" specs[n]; fflush()
}
