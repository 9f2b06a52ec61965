# The files of checks. The name of each is the number of its check, and its only line is result STATE REASON SPEC.
function numberOf(name) { sub(/^.*\//, "", name); return name }
BEGIN {
  FS = "\t"
  for (i = 1; i < ARGC; i++) if (ARGV[i] ~ /\/[0-9]+$/) file[numberOf(ARGV[i])] = ARGV[i]
}
from == "check" { readCheck(numberOf(FILENAME)); next }
function readCheck(n,   spec, state) {
  if (FNR != 1 || $1 !~ /^(result|verdict)$/ || NF < 4) return
  spec = $0; sub(/^[a-z]*\t[^\t]*\t[^\t]*\t/, "", spec)
  specs[n] = spec; state = $2
  last[n] = $2 "\t" $3; because[n] = $3; blind[n] = sub(/^blind-?/, "", state) ? $3 : ""
  result[n] = ONCE ? "" : state
}
# Sets field to the fields of a check by their names.
function fieldsOf(spec,   n, parts, i, at) {
  split("", field)
  n = split(spec, parts, "\t")
  for (i = 1; i <= n; i++) { at = index(parts[i], "="); field[substr(parts[i], 1, at - 1)] = substr(parts[i], at + 1) }
}
