nl='
'
# read_reply HEADER TEXT: of a reply, which is cut at 1 MB and never kept whole, whether its body has the text, and
# who it is from by that header or by its first line; characters that a terminal obeys are replaced
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
# ask_once HEADER TEXT ARGUMENT...: one line; the arguments are curl's. The reply has a pipe of its own, descriptor 5,
# so that nothing in it can pass for what curl says
ask_once() {
  header=$1 wanted=$2
  shift 2
  out=$(
    {
      {
        {
          told=$(curl "$@" </dev/null 2>&1 4>&-)
          code=$?
        } 5>&1
        err=
        case "$told" in *'curl: ('*)
          err=${told##*'curl: ('}
          err="(${err%%"$nl"*}"
          ;;
        esac
        told=${told##*lvs-asked }
        printf 'curl %s %s %.200s\n' "$code" "${told%%"$nl"*}" "$err" | tr '\001-\011\013-\037\177' '?' >&4
      } | read_reply "$header" "$wanted" | sed 's|^|reply |' >&4
    } 4>&1
  )
  case $out in 'curl '*) curl=${out%%"$nl"*} reply=${out#*"$nl"} ;; *) reply=${out%%"$nl"*} curl=${out#*"$nl"} ;; esac
  curl=${curl#curl } reply=${reply#reply }
  code=${curl%% *} curl=${curl#* } asked=${curl%%-*}- err=${curl#*-}
  err=${err# }
  fits=${reply%% *} reply=${reply#* } count=${reply%% *} from=${reply#* }
  case $asked in *[!0-9' '-]*) asked='000 -' ;; esac
  # what is cut is not read to its end
  [ "$code" != 23 ] || [ "$count" = 0 ] || err='(23) the reply is longer than 1 MB'
  [ -z "$err" ] || from=$err
  printf '%s %s %s %s\n' "$code" "$asked" "$fits" "$from"
}
# how many, how many at a time, failures allowed, statuses, URL, header, text, curl's arguments: a line for each
ask_service() {
  has curl && has awk || return
  left=$1 most=$2 allowed=$3 right=$4 url=$5
  shift 5
  # where curl has no telnet, HTTP connects as well
  case "$url" in tcp:*)
    case $(curl -q -V) in *telnet*) url=telnet${url#tcp} ;; *) url=http${url#tcp} ;; esac
    ;;
  esac
  set -- "$@" "$url"
  while [ $left -gt 0 ] && [ $allowed -ge 0 ] && [ -z "$late" ]; do
    if [ $most -gt 1 ]; then
      n=$most
      [ $n -le $left ] || n=$left
      left=$((left - n))
      while [ $n -gt 0 ]; do
        ask_once "$@" &
        n=$((n - 1))
      done
      wait
      continue
    fi
    left=$((left - 1))
    line=$(ask_once "$@")
    printf '%s\n' "$line"
    case "$line" in '0 '*' 1 '*)
      status=${line#* }
      case " $right " in *" ${status%% *} "*) continue ;; esac
      ;;
    esac
    allowed=$((allowed - 1))
  done
}
ask_way() { has ip && ip -o route get "$1"; }
# interface, address: who answers, each once
ask_arp() {
  has arping || return
  arping -b -c 3 -w 4 -I "$1" "$2" | grep -oiE '[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}' | sort -u
}
# address and port, address of who asks
read_flows() {
  [ ! -e /proc/net/ip_vs ] || {
    has ipvsadm && ipvsadm -Lnc | { grep -F -e " $2:" || :; } | { grep -F -e " $1 " || :; }
  }
}
read_macs() { has ip && ip -o link show | grep -oE 'link/ether [0-9a-f:]+' || :; }
