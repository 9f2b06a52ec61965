# Reads the files of the checks of one batch, then the lines of its rounds. Prints NUMBER:STATE:REASON SPEC for each
# changed result. Prints done ROUND or again ROUND at its end: again requests one more curl at once. Prints alone NUMBER
# for a check that gets a process of its own, and apart if all checks need one, because curl ended before its checks
# did. Prints explain PROCESS NUMBER for a failed connection.
BEGIN { answer = "done"; small = 4096 }
from == "lines" { readLine($1) }
# readLine LINE: reads a line of the rounds: process NUMBER, begin, end ROUND, none ROUND REASON, query ROUND or
# explained NUMBER REASON. The last one has a reason if the director caused the failure. All others are of curl.
function readLine(line,   words, n) {
  n = split(line, words, " ")
  if (words[1] == "process") process = words[2]
  else if (words[1] == "begin") beginRound()
  else if (words[1] == "end") endRound(words[2])
  else if (words[1] == "none") {
    sub(/^none [0-9]+ /, "", line); for (n in specs) { reported[n]; addResult(n, NOT_CHECKED, line) }
    endRound(words[2])
  }
  else if (words[1] == "query") { if (answered == words[2]) printAnswer(words[2]); else endRound(words[2]) }
  else if (words[1] == "explained") {
    delete waits[words[2]]
    sub(/^explained [0-9]+ /, "", line)
    addResult(words[2], line == "" ? 1 : NOT_CHECKED, line == "" ? "no answer: " refused[words[2]] : line)
  }
  else readReport(line, words)
}
# readReport LINE WORDS: reads what curl reports on a check.
function readReport(line, words,   n, rc) {
  n = words[1] + 0; rc = words[1]; sub(/^.*page/, "", rc); rc += 0
  # 42: curl ended this transfer after a critical error of another one, such as a header that is too long.
  if (!(n in specs) || rc == 42) return
  reported[n]
  if (rc ~ /^(2|27|41|43|48)$/) critical[n]
  if (rc) { sub(/^[^ ]* [^ ]* [^ ]* /, "", line); sub(/ ?\.$/, "", line) } else line = ""
  addPage(n, rc, substr(words[2], 1, 3), words[3] + 0, substr(words[2], 4) + 0, line)
}
# A file that has another result than the last could not be written, or the batch before this one wrote it late.
function beginRound(   n, line) {
  isolations = 0
  for (n in isIsolated) print "alone " n
  for (n in reported) if (!ONCE || result[n] == "") delete reported[n]
  for (n in specs) {
    if ((getline line < file[n]) > 0 && line != "result\t" last[n] "\t" specs[n]) printResult(n)
    close(file[n])
  }
}
# If curl did not report on all checks, one check ended it. The check with the critical error leaves, and the others
# are checked at once. After three such checks in a round, or if no check had an error, nothing is known of the next.
# At boot a round ends when each failed connection is explained.
function endRound(round,   n, missing) {
  if (ONCE) for (n in waits) return
  for (n in specs) if (!(n in reported)) { missing = 1; break }
  answer = "done"
  if (missing) for (n in critical) if (n in specs && isolations < 3) { isolate(n); answer = "again" }
  if (missing && answer == "done") print "apart"
  split("", critical)
  if (ONCE || isPartial || answer == "again") writeRequests(answer == "again")
  printAnswer(round)
}
function isolate(n) {
  isolations++
  if (!ONCE || result[n] == "") { isIsolated[n]; print "alone " n }
  delete specs[n]
}
# writeRequests PARTIAL: writes what curl does next: all checks, or those that it did not report on, or those without a
# result.
function writeRequests(partial,   n, to) {
  isPartial = partial; to = FILE ".now"
  printf "" > to; requests[to] = 0
  for (n in specs) if (ONCE ? result[n] == "" : !partial || !(n in reported)) {
    fieldsOf(specs[n]); addRequest(n, to)
  }
  close(to)
}
function printAnswer(round) { answered = round; print answer " " round; fflush() }
# addPage NUMBER CODE STATUS START SIZE WORDS: adds the result of a check by what curl reports. CODE is its exit code,
# STATUS that of HTTP, START the seconds to the first byte, SIZE the bytes that came, and WORDS its error.
function addPage(n, rc, code, start, size, words,   seen) {
  sub(/ after [0-9]* m*s[a-z]*/, "", words)
  if (words == "" && rc != 0) words = "curl ended with " rc
  readWants(n)
  # Where bytes came, curl has written the file in this round.
  found = 0
  if (rc == 23 || size > (body[n] == "" ? small : 0)) seen = readPage(pageOf(n), body[n])
  if (rc == 2 || rc == 45 || rc == 66 || rc == 77 || (rc == 27 && start == 0)) addResult(n, NOT_CHECKED, words)
  # For a server that is down it makes no difference whether the director had no port.
  else if (rc == 7 && (result[n] != "down" || blind[n] != "")) {
    waits[n]; refused[n] = words; print "explain " process " " n; fflush()
  }
  # The file is not at the limit: there is no room.
  else if (rc == 23 && seen < most) addResult(n, NOT_CHECKED, "the page cannot be stored")
  else if (rc == 63 || rc == 23) addResult(n, 1, "the page is longer than 1 MB")
  else if (rc != 0) addResult(n, 1, "no answer: " words)
  else if (index("," status[n] ",", "," code ",") == 0) addResult(n, 1, "status " code)
  else if (body[n] != "" && !found && seen < size && seen < most) addResult(n, NOT_CHECKED, "the page is lost")
  else if (body[n] != "" && !found) addResult(n, 1, "the page does not contain the text of check.body")
  else addResult(n, 0, "")
}
# readPage FILE TEXT: sets found to whether the file contains the text, and returns its size. Empties a file that takes
# more than the least memory.
function readPage(name, text,   line, seen) {
  while ((getline line < name) > 0) { seen += length(line) + 1; if (index(line, text)) found = 1 }
  close(name)
  if (seen > small) { printf "" > name; close(name) }
  return seen
}
# readWants NUMBER: sets what a check wants of an answer, once.
function readWants(n) {
  if (n in status) return
  fieldsOf(specs[n])
  status[n] = field["status"]; body[n] = field["body"]; rise[n] = field["rise"] + 0; fall[n] = field["fall"] + 0
}
# addResult NUMBER CODE REASON: counts. 0: well. 1: failed. NOT_CHECKED: no result of the server.
function addResult(n, rc, why) {
  if (!(n in specs) || (ONCE && result[n] != "")) return
  if (why != "") { gsub(/[^ -~]/, "?", why); why = substr(why, 1, 200) }
  readWants(n)
  if (rc == 0) { good[n]++; bad[n] = 0; setState(n, "up", "", good[n], ONCE ? 1 : rise[n]) }
  else if (rc == 1) { bad[n]++; good[n] = 0; setState(n, "down", why, bad[n], fall[n]) }
  else if (blind[n] != why) {
    blind[n] = why
    last[n] = "blind" (result[n] == "" ? "" : "-") result[n] "\t" why; printResult(n)
  }
}
# setState NUMBER STATE REASON COUNT LIMIT: reports the state once COUNT reaches LIMIT.
function setState(n, state, why, times, limit) {
  if (result[n] != state && times >= limit) { result[n] = state; because[n] = why }
  else {
    if (blind[n] == "") return
    if (result[n] == state) because[n] = why
  }
  if (result[n] == "") because[n] = ""
  blind[n] = ""
  last[n] = result[n] "\t" because[n]; printResult(n)
}
function printResult(n,   parts) {
  split(last[n], parts, "\t")
  print n ":" parts[1] ":" parts[2] "\t" specs[n]; fflush()
}
