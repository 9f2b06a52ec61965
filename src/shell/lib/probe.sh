nl='
'
# read_reply HEADER TEXT: prints whether the body of the reply contains TEXT, its number of lines, and its sender. The
# sender is the value of HEADER, or the first line without one. Reads at most 1 MB, never keeps the whole reply, and
# replaces control characters.
read_reply() {
  head -c 1048576 | tr -d '\000' | header="$1:" wanted=$2 awk '
    BEGIN { header = tolower(ENVIRON["header"]); wanted = ENVIRON["wanted"]; fits = wanted == "" }
    { n++; line = $0; sub(/\r$/, "", line) }
    !isBody && line ~ /^HTTP\/[0-9.]+ / { from = ""; interim = line ~ /^[^ ]* 1[0-9][0-9]/ }
    !isBody && line == "" { isBody = !interim; next }
    !isBody && header != ":" && from == "" && tolower(substr(line, 1, length(header))) == header {
      from = substr(line, length(header) + 1); sub(/^ /, "", from)
    }
    !isBody { next }
    { if (index($0, wanted)) fits = 1; if (header == ":" && !lines++) from = line }
    END { from = substr(from, 1, 200); gsub(/[\001-\037\177]/, "?", from); printf "%d %d %s\n", fits, n, from }'
}
# request_once HEADER TEXT ARGUMENT...: runs curl with the arguments and prints one line. The reply has its own pipe,
# descriptor 5, so that nothing in it can pass for output of curl.
request_once() {
  header=$1 wanted=$2
  shift 2
  out=$(
    {
      {
        {
          output=$(curl "$@" </dev/null 2>&1 4>&-)
          code=$?
        } 5>&1
        err=
        case "$output" in *'curl: ('*)
          err=${output##*'curl: ('}
          err="(${err%%"$nl"*}"
          ;;
        esac
        output=${output##*lvs-status }
        printf 'curl %s %s %.200s\n' "$code" "${output%%"$nl"*}" "$err" | tr '\001-\011\013-\037\177' '?' >&4
      } | read_reply "$header" "$wanted" | sed 's|^|reply |' >&4
    } 4>&1
  )
  case $out in 'curl '*) curl=${out%%"$nl"*} reply=${out#*"$nl"} ;; *) reply=${out%%"$nl"*} curl=${out#*"$nl"} ;; esac
  curl=${curl#curl } reply=${reply#reply }
  code=${curl%% *} curl=${curl#* } status=${curl%%-*}- err=${curl#*-}
  err=${err# }
  fits=${reply%% *} reply=${reply#* } count=${reply%% *} from=${reply#* }
  case $status in *[!0-9' '-]*) status='000 -' ;; esac
  # curl fails with 23 if its reader stops at the limit.
  [ "$code" != 23 ] || [ "$count" = 0 ] || err='(23) the reply is longer than 1 MB'
  [ -z "$err" ] || from=$err
  printf '%s %s %s %s\n' "$code" "$status" "$fits" "$from"
}
# request_service COUNT PARALLEL FAILURES STATUSES URL HEADER TEXT ARGUMENT...: sends COUNT requests, PARALLEL at a
# time, and prints a line for each. Stops after more than FAILURES failures. The arguments go to curl.
request_service() {
  has curl && has awk || return
  left=$1 most=$2 allowed=$3 right=$4 url=$5
  shift 5
  # A curl without telnet connects by HTTP.
  case "$url" in tcp:*)
    case $(curl -q -V) in *telnet*) url=telnet${url#tcp} ;; *) url=http${url#tcp} ;; esac
    ;;
  esac
  set -- "$@" "$url"
  while [ $left -gt 0 ] && [ $allowed -ge 0 ] && [ -z "$timed_out" ]; do
    if [ $most -gt 1 ]; then
      n=$most
      [ $n -le $left ] || n=$left
      left=$((left - n))
      while [ $n -gt 0 ]; do
        request_once "$@" &
        n=$((n - 1))
      done
      wait
      continue
    fi
    left=$((left - 1))
    line=$(request_once "$@")
    printf '%s\n' "$line"
    case "$line" in '0 '*' 1 '*)
      status=${line#* }
      case " $right " in *" ${status%% *} "*) continue ;; esac
      ;;
    esac
    allowed=$((allowed - 1))
  done
}
read_next_hop() { has ip && ip -o route get "$1"; }
# probe_arp INTERFACE ADDRESS: prints each MAC address that answers, once.
probe_arp() {
  has arping || return
  arping -b -c 3 -w 4 -I "$1" "$2" | grep -oiE '[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}' | sort -u
}
# read_flows VIP_AND_PORT CLIENT: prints the connections of CLIENT to the service.
read_flows() {
  client=$2
  case $2 in *:*) client="[$2]" ;; esac
  [ ! -e "$ROOT/proc/net/ip_vs" ] || {
    has ipvsadm && ipvsadm -Lnc | { grep -F -e " $client:" || :; } | { grep -F -e " $1 " || :; }
  }
}
read_macs() { has ip && ip -o link show | grep -oE 'link/ether [0-9a-f:]+' || :; }
