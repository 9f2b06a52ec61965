# The file of a check has one line, result STATE REASON SPEC, and its name is the number of the check.
# read_spec FILE: sets spec.
read_spec() {
  IFS= read -r spec <"$1" || return
  spec=${spec#*"$tab"}
  spec=${spec#*"$tab"}
  spec=${spec#*"$tab"}
}
# read_check NUMBER: sets result, blind, because and the fields of the check, which has no counts yet. Ends the process
# if there is no file.
read_check() {
  n=$1
  IFS= read -r line <"$S/checks/$n" || exit
  kept=$line
  spec=${line#*"$tab"}
  result=${spec%%"$tab"*}
  spec=${spec#*"$tab"}
  cause=${spec%%"$tab"*}
  spec=${spec#*"$tab"}
  # A result that the evaluation would refuse counts as none.
  [ "$(one_line "$cause")" = "$cause" ] || result= cause=
  blind= because=
  case $result in
    up | down) because=$cause ;;
    blind*)
      blind=$cause result=${result#blind} result=${result#-}
      case $result in up | down) ;; *) result= ;; esac
      ;;
    *) result= ;;
  esac
  parse "$spec"
  # A command may ignore the first signal of timeout. Not every timeout can send a second one.
  then_kill=
  [ "$type" != command ] || ! timeout -k 1 1 true 2>/dev/null || then_kill='-k 1'
  good=0 bad=0 mute=
}
# put_result STATE REASON: writes the result: up, down, or empty for none yet. If the check cannot run now, STATE is
# blind, or blind-up or blind-down with the last result.
put_result() {
  write_text "$S/checks/.$n" "result$tab$1$tab$2$tab$spec" &&
    mv "$S/checks/.$n" "$S/checks/$n" || {
    rm -f "$S/checks/.$n" 2>/dev/null
    # The next round tries again. The journal gets the message once.
    [ -n "$mute" ] || printf '%s\n' "$S/checks/$n: cannot be written: $address:$port is ${1:-unknown}" >&2
    mute=1
    return
  }
  mute= kept="result$tab$1$tab$2$tab$spec"
  case $1 in
    blind*)
      blind=$2
      printf '%s\n' "$address:$port cannot be checked: $2" >&2
      ;;
    *)
      [ -z "$blind" ] || printf '%s\n' "$address:$port is checked again" >&2
      result=$1 because=$2 blind=
      ;;
  esac
  [ -z "$supervisor" ] || wake
}
