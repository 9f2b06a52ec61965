# unfit: fails, so a check ends with: || unfit || return
unfit() {
  printf '%s\n' 'its record has a wrong form; run pulumi up --refresh, which writes it again' >&2
  return "$WRONG_RECORD"
}
# made_of WORD CHARACTERS: returns 0 if the word is not empty and consists of these characters.
made_of() { case $1 in '' | *[!$2]*) return 1 ;; esac }
is_number() { made_of "$1" 0-9; }
is_address() { made_of "$1" 0-9a-f.:; }
is_network() { made_of "$1" 0-9a-f.:/; }
is_endpoint() { made_of "$1" ']0-9a-f.:['; }
is_interface() {
  case $1 in [.-]*) return 1 ;; esac
  made_of "$1" A-Za-z0-9_.@-
}
# is_entry ARGUMENT...: returns 0 if these are the options of an entry as in ipvsadm(8), each value in its form.
is_entry() {
  [ $# -gt 0 ] || return
  while [ $# -gt 0 ]; do
    case $1 in
      -t | -u | -r)
        is_endpoint "$2" || return
        shift
        ;;
      -f | -p)
        is_number "$2" || return
        shift
        ;;
      -s)
        made_of "$2" a-z || return
        shift
        ;;
      -b)
        case $2 in -*) return 1 ;; esac
        made_of "$2" a-z,- || return
        shift
        ;;
      -M)
        is_network "$2" || return
        shift
        ;;
      -6 | -g | -m) ;;
      -?)
        case " $SERVER_NUMBERS " in *" $1 "*) is_number "$2" || return ;; *) return 1 ;; esac
        shift
        ;;
      *) return 1 ;;
    esac
    shift
  done
}
again_service() {
  is_entry "$@" || unfit || return
  ipvsadm -A "$@"
}
again_server() {
  is_entry "$@" || unfit || return
  ipvsadm -a "$@"
}
again_timeouts() {
  [ $# = 3 ] && is_number "$1" && is_number "$2" && is_number "$3" || unfit || return
  claim_timeouts timeouts && ipvsadm --set "$@"
}
# again_daemon master|backup INTERFACE SYNCID MAXLEN GROUP PORT TTL: starts a sync daemon.
again_daemon() {
  [ $# = 7 ] && case $1 in master | backup) ;; *) false ;; esac && is_interface "$2" && is_number "$3" &&
    is_number "$4" && is_address "$5" && is_number "$6" && is_number "$7" || unfit || return
  ipvsadm --start-daemon "$1" --mcast-interface "$2" --syncid "$3" \
    --sync-maxlen "$4" --mcast-group "$5" --mcast-port "$6" --mcast-ttl "$7"
}
# again_module NAME PARAMETER=VALUE...: loads a module with parameters.
again_module() {
  made_of "$1" A-Za-z0-9_ || unfit || return
  for option; do
    case $option in "$1") ;; *[!A-Za-z0-9_,.:/=-]* | -* | *=*=*) unfit || return ;;
    ?*=?*) ;; *) unfit || return ;;
    esac
  done
  claim_module "module.$1" "$1" && modprobe "$@"
}
# again_sysctl NAME VALUE...: writes the values in order, so that a missing sysctl stops only those after it.
again_sysctl() {
  [ $# -gt 0 ] || unfit || return
  while [ $# -gt 0 ]; do
    case $1 in '' | [!a-z0-9_]* | *[!A-Za-z0-9_.@/-]* | *//* | *..* | *./* | */.*) unfit || return ;;
    esac
    case $2 in '' | *[!\ -~]*) unfit || return ;;
    esac
    # Dots and slashes change places. The claim has %2F for a slash, because its name is one directory.
    f=/proc/sys/$(printf '%s\n' "$1" | tr ./ /.) r=sysctl.$(printf '%s\n' "$1" | sed 's|/|%2F|g')
    claim_file "$r" "$f" && put_file "$f" "$2" || return
    shift 2
  done
}
again_forwarding() {
  claim_dragged dragged.net.ipv4.ip_forward \
    '/proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/ipv4/conf/all/accept_redirects' &&
    again_sysctl "$@"
}
# again_address INTERFACE ADDRESS/PREFIX [broadcast B] [label L] [announce]: adds an address.
again_address() {
  [ $# -ge 2 ] && is_interface "$1" && is_network "$2" || unfit || return
  interface=$1 address=$2 announces= words=
  shift 2
  case $address in *:*) words='nodad preferred_lft 0' ;; esac
  while [ $# -gt 0 ]; do
    case $1 in
      broadcast)
        is_address "$2" || unfit || return
        words="$words broadcast $2"
        shift
        ;;
      label)
        made_of "$2" A-Za-z0-9_.@:- || unfit || return
        words="$words label $2"
        shift
        ;;
      announce) announces=1 ;;
      *) unfit || return ;;
    esac
    shift
  done
  ip addr add "$address" dev "$interface" $words && { [ -z "$announces" ] || announce "$interface" "${address%/*}"; }
}
# again_route 4|6 DESTINATION [via V] [dev D] [src S] [metric M] [table T]: adds a route.
again_route() {
  family=$1 to=$2
  case $family in 4 | 6) ;; *) unfit || return ;;
  esac
  [ "$to" = default ] || is_network "$to" || unfit || return
  shift 2
  of=
  for word; do
    case $of in
      '') case $word in via | dev | src | metric | table)
        of=$word
        continue
        ;;
      *) unfit || return ;;
      esac ;;
      dev) is_interface "$word" ;;
      metric) is_number "$word" ;;
      table) [ "$word" = main ] || is_number "$word" ;;
      *) is_address "$word" ;;
    esac || unfit || return
    of=
  done
  [ -z "$of" ] || unfit || return
  ip "-$family" route add "$to" "$@"
}
# The files of a monitor survive a reboot by themselves.
again_monitor() { [ $# = 0 ] || unfit; }
# again_vrrp ADDRESS...: the file of a VRRP instance does so, too.
again_vrrp() { for address; do is_address "$address" || unfit || return; done; }
# obey VERB ARGUMENTS: runs the verb of a record. Tabs separate the arguments.
obey() {
  verb=$1
  set -f
  IFS=$tab
  set -- $2
  IFS=$blanks
  set +f
  case $verb in
    service | server | timeouts | daemon | module | sysctl | forwarding | address | route | monitor | vrrp)
      "again_$verb" "$@"
      ;;
    *) unfit ;;
  esac
}
# fits ARGUMENTS: returns 0 if they are the options of an entry. Tabs separate the arguments.
fits() {
  set -f
  IFS=$tab
  set -- $1
  IFS=$blanks
  set +f
  is_entry "$@"
}
# entries RECORDS: prints the lines for ipvsadm -R of the entries among them.
entries() {
  while IFS=$tab read -r rank nature thing owner verb args <&7; do
    case $verb in service) flag=-A ;; server) flag=-a ;; *) continue ;; esac
    set -f
    IFS=$tab
    set -- $args
    IFS=$blanks
    set +f
    ! is_entry "$@" || printf '%s\n' "$flag $*"
  done 7<<END
$1
END
}
