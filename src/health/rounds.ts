// in the text below a brace after a dollar would be TypeScript's
const $ = "$";

/** Shell functions that check one server again and again, in a process of its own that counts and writes its verdict down. */
export const rounds = String.raw`
# check NUMBER: its words are in its file
check() {
  n=$1; IFS= read -r line <"$S/checks/$n" || exit
  spec=${$}{line#*"$tab"}; verdict=${$}{spec%%"$tab"*}; spec=${$}{spec#*"$tab"}; said=${$}{spec%%"$tab"*}; spec=${$}{spec#*"$tab"}
  # one that the judge does not take is found anew
  case $verdict in up|down) [ "$(one_line "$said")" = "$said" ] || verdict=;; *) verdict=;; esac
  parse "$spec"
  # a command may ignore the signal that timeout sends first, and not every timeout knows a second one
  then_kill=
  [ "$type" != command ] || ! timeout -k 1 1 true 2>/dev/null || then_kill='-k 1'
  good=0 bad=0 mute= told=
}
# one round; one that is killed in the middle has failed
conclude() {
  why=$(ask); rc=$?
  [ $rc = 0 ] || [ -n "$why" ] || why="the check ended with $rc"
  [ -z "$why" ] || why=$(one_line "$why")
  case $rc in
    0) good=$((good + 1)) bad=0; [ "$verdict" = up ] || [ $good -lt "$rise" ] || pronounce up '';;
    3) good=0 bad=0; [ "$verdict$told" = "blind$why" ] || pronounce blind "$why"; told=$why;;
    *) good=0 bad=$((bad + 1)); [ "$verdict" = down ] || [ $bad -lt "$fall" ] || pronounce down "$why";;
  esac
}
pronounce() {
  { printf 'verdict\t%s\t%s\t%s\n' "$1" "$2" "$spec" >"$S/checks/.$n"; } 2>/dev/null && mv "$S/checks/.$n" "$S/checks/$n" || {
    rm -f "$S/checks/.$n" 2>/dev/null
    # the next round says it again; the journal hears it once
    [ -n "$mute" ] || printf '%s\n' "$S/checks/$n: cannot be written: $address:$port is $1" >&2
    mute=1; return
  }
  verdict=$1 mute=
  [ -z "$supervisor" ] || wake
}
watch() {
  check "$1"
  while kill -0 "$supervisor" 2>/dev/null; do
    sleep "$interval" & nap=$!
    conclude
    wait $nap
  done
}
# so many tries, without pauses
judge_once() {
  supervisor=
  check "$1"; verdict= tries=$fall rise=1
  while [ $tries -gt 0 ] && [ -z "$verdict" ]; do conclude; tries=$((tries - 1)); done
}
`;
