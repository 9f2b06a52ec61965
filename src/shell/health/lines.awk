# Passes on the lines of a round as they come, each with a tab at its end. curl prints NUMBER.pageCODE STATUSSIZE on a
# check, and after an error also START ERROR and a dot. Others print the token, which no server knows, before theirs.
# The first line is process NUMBER, its own.
BEGIN {
  token = ENVIRON["token"]; pages = DIR "/" SERIAL "-" token "-"
  blanks = sprintf(FORM, "")
  getline line < "/proc/self/stat"; pass("process " line + 0)
}
# curl writes a line in parts, and others may write theirs between these.
{
  at = index($0, token " ")
  rest = rest (at ? substr($0, 1, at - 1) : $0)
  while (past = index(substr(rest, 2), pages)) rest = substr(rest, past + 1)
  if (index(rest, pages) == 1) {
    report = substr(rest, length(pages) + 1)
    if (report ~ /^[0-9]+\.page(0 [0-9][0-9][0-9][0-9]+|[1-9][0-9]* .* \.)$/) { pass(report); rest = "" }
  }
  if (at) pass(substr($0, at + length(token) + 1))
}
function pass(line) { print substr(line "\t" blanks, 1, 4095); fflush() }
