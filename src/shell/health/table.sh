# change_table VERB SERVICE FIELD...: changes the table. Sets error and returns 1 if ipvsadm fails. Its verbs are:
# service SCHEDULER TIMEOUT MASK FLAGS, add or edit SERVER FORWARDING WEIGHT OPTIONS, remove SERVER, and announce or
# withdraw ADDRESS TABLE, which change a route. - stands for none.
change_table() {
  case $1 in announce | withdraw)
    change_route "$1" "$3" "$4"
    return
    ;;
  esac
  six=
  case $2 in
    tcp://*) of_flag=-t at=${2#*://} ;;
    udp://*) of_flag=-u at=${2#*://} ;;
    fwmark://*/ipv6) of_flag=-f at=${2#*://} at=${at%/*} six=-6 ;;
    fwmark://*) of_flag=-f at=${2#*://} ;;
    *)
      error="not a service: $(one_line "$2")"
      return 1
      ;;
  esac
  way=
  case $1:${4:-} in *:gatewaying) way=-g ;; *:masquerading) way=-m ;; *:tunneling) way=-i ;; esac
  verb=$1 server=$3 weight=${5:-0} options=${6:--}
  case $1 in
    service)
      timeout=$4 mask=$5 flags=$6
      set -- -A "$of_flag" "$at" $six -s "$3"
      [ "$timeout" = - ] || set -- "$@" -p "$timeout"
      [ "$mask" = - ] || set -- "$@" -M "$mask"
      [ "$flags" = - ] || set -- "$@" -b "$flags"
      ;;
    add | edit)
      [ "$1" = add ] && verb=-a || verb=-e
      set -- "$verb" "$of_flag" "$at" $six -r "$server" "$way" -w "$weight"
      [ "$options" = - ] || set -- "$@" $options
      ;;
    remove) set -- -d "$of_flag" "$at" $six -r "$server" ;;
    *)
      error="not a verb: $(one_line "$1")"
      return 1
      ;;
  esac
  error=$(ipvsadm "$@" 2>&1 7<&- 9<&-) && return
  error="ipvsadm $*: $(one_line "$error")"
  return 1
}
# change_route VERB ADDRESS TABLE: adds or deletes the route of an announcement. Replaces no route of another program.
change_route() {
  outcome="announced in" verb=add six=-4 bits=32
  [ "$1" = announce ] || outcome="withdrawn from" verb=del
  case $2 in *:*) six=-6 bits=128 ;; esac
  outcome="$2 is $outcome table $3"
  set -- "$six" route "$verb" "$2/$bits" dev lo table "$3" proto "$ROUTE_PROTOCOL"
  if error=$(ip "$@" 2>&1 7<&- 9<&-); then
    printf '%s\n' "$outcome" >&2
    return
  fi
  error="ip $*: $(one_line "$error")"
  return 1
}
