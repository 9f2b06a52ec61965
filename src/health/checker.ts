// in the text below a brace after a dollar would be TypeScript's
const $ = "$";

/**
 * Shell functions that check one server once. POSIX sh; of curl only what every build of it has, but for telnet, which is done
 * without where it is missing. What a server, or a command, says is read through a pipe that is cut at 1 MB, and ends as numbers
 * and as words of one line: nothing of it is kept whole or read as anything else.
 */
export const checker = String.raw`
nl='
'
most=1048576
# one_line TEXT: its first line in printable characters, cut to 200; whatever others say goes through here
one_line() { printf '%.200s\n' "${$}{1%%"$nl"*}" | tr -c '\040-\176\n' '?'; }
is_number() { case $1 in ''|*[!0-9]*) return 1;; esac; }
# the words of a check, as variables
parse() {
  type=http address= port= path=/ body= status= host= verify= query= command= through= vip= connect=1 timeout=3 interval=5 rise=3 fall=3
  old=$IFS; IFS=$tab; set -f
  for field in $1; do
    case $field in
      type=*) type=${$}{field#*=};; address=*) address=${$}{field#*=};; port=*) port=${$}{field#*=};;
      path=*) path=${$}{field#*=};; body=*) body=${$}{field#*=};; status=*) status=${$}{field#*=};;
      host=*) host=${$}{field#*=};; verify=*) verify=${$}{field#*=};; query=*) query=${$}{field#*=};;
      command=*) command=${$}{field#*=};; through=*) through=${$}{field#*=};; vip=*) vip=${$}{field#*=};;
      connect=*) connect=${$}{field#*=};; timeout=*) timeout=${$}{field#*=};; interval=*) interval=${$}{field#*=};;
      rise=*) rise=${$}{field#*=};; fall=*) fall=${$}{field#*=};;
    esac
  done
  IFS=$old; set +f
  # whom curl connects to
  at=$address from=
  [ "$through" != vip ] || at=$vip
  case $at in *:*) at="[$at]";; esac
}
needs() { for tool; do command -v "$tool" >/dev/null || { printf '%s\n' "$tool: not found"; return 3; }; done; }
# 0: well; 3: nothing can be said; anything else: not well; but for 0 it says why
ask() {
  if [ "$through" = vip ]; then
    # without its way a request would be answered by any server that is well
    passage "$n" "$spec"; [ -n "$vipless" ] || intact "$(read_ipvs)" || vipless='its way through the VIP is not whole'
    [ -z "$vipless" ] || { printf '%s\n' "$vipless"; return 3; }
    from="--interface $dip --local-port $ports"
  fi
  case $type in
    http|https) needs curl head tr && ask_http;;
    tcp) needs curl && ask_tcp;;
    dns) needs curl od && ask_dns;;
    command) needs timeout head tr && ask_command;;
    *) printf '%s\n' 'the type of the check is not known'; return 3;;
  esac
}
# reason TEXT WORDS: the text, and what was said where anything was
reason() { printf '%s\n' "$1${$}{2:+: $2}"; return 1; }
# what curl complained of, without how long it took; its number where it says nothing
complaint() {
  words=$(printf '%s\n' "$1" | sed -n 's/^curl: ([0-9]*) //; t found
b
: found
s/ after [0-9]* m*s[a-z]*//; p; q')
  [ -n "$words" ] || [ "$2" = 0 ] || words="curl ended with $2"
  one_line "$words"
}
get() { curl -q -sS --noproxy '*' --connect-timeout "$connect" -m "$timeout" $from "$@"; }
# the pipe's input: prints how many bytes came, whether the text of the check is in a line of it, and its first line with anything in it
look_at() {
  tr -d '\000' | look_for=$body awk '
    { n += length($0) + 1; if (index($0, ENVIRON["look_for"])) found = 1 }
    first == "" && /[^ \t\r]/ { first = substr($0, 1, 400); gsub(/[^ -~]/, "?", first) }
    END { printf "page %d %d %s\n", n, found, first }'
}
# curl's arguments: a line of what became of it, and one of what came, in either order. The page has a pipe of its own, so that
# nothing in it can pass for what curl says.
get_page() {
  {
    {
      { told=$(get -o /proc/self/fd/5 -w '\n%{http_code}\n' "$@" 2>&1 4>&-); rc=$?; } 5>&1
      printf 'curl %d %.3s %s\n' "$rc" "${$}{told##*"$nl"}" "$(complaint "$told" "$rc")" >&4
    } | head -c $most | look_at >&4
  } 4>&1
}
# part NAME TEXT: the words of that line
part() { case $2 in "$1 "*) words=${$}{2#* };; *"$nl$1 "*) words=${$}{2##*"$nl$1 "};; *) return 1;; esac; words=${$}{words%%"$nl"*}; }
ask_http() {
  name=$at; [ -z "$host" ] || name=$host
  set --
  [ "$type" != https ] || [ "$verify" = yes ] || set -- -k
  [ -z "$host" ] || set -- "$@" --connect-to "::$at:$port"
  answer=$(get_page "$@" -g -H 'Connection: close' "$type://$name:$port$path")
  part page "$answer" || { reason 'what came could not be read'; return; }
  bytes=${$}{words%% *} words=${$}{words#* } found=${$}{words%% *}
  part curl "$answer" || { reason 'curl was ended'; return; }
  rc=${$}{words%% *} words=${$}{words#* } code=${$}{words%% *} words=${$}{words#* }
  # what is cut is not read to its end
  [ "$rc" != 23 ] || [ "$bytes" = 0 ] || { reason 'the page is longer than 1 MB'; return; }
  [ "$rc" = 0 ] || { reason 'no answer' "$words"; return; }
  case ",$status," in *",$code,"*) ;; *) reason "status $code"; return;; esac
  [ -z "$body" ] || [ "$found" = 1 ] || reason "the page does not contain $body"
}
# whatever is spoken there, that a connection is taken is told by the time it took
ask_tcp() {
  case $(curl -q -V) in *telnet*) way=telnet;; *) way=http;; esac
  said=$(get -o /dev/null -w '\n%{time_connect}\n' "$way://$at:$port" 2>&1 </dev/null); rc=$?
  case ${$}{said##*"$nl"} in *[1-9]*) return 0;; esac
  reason 'no connection' "$(complaint "$said" "$rc")"
}
# a query for an address over TCP (RFC 7766)
ask_dns() {
  [ -n "$query" ] || { printf '%s\n' 'the check names no query'; return 3; }
  case $(curl -q -V) in *telnet*) ;; *) printf '%s\n' 'this curl has no telnet, which DNS is asked by'; return 3;; esac
  labels= length=17 rest=${$}{query%.}
  while [ -n "$rest" ]; do
    label=${$}{rest%%.*}; case $rest in *.*) rest=${$}{rest#*.};; *) rest=;; esac
    labels="$labels$(printf '\\0%03o' ${$}{#label})$label" length=$((length + ${$}{#label} + 1))
  done
  message='\0000'$(printf '\\0%03o' "$length")'LV\0001\0000\0000\0001\0000\0000\0000\0000\0000\0000'"$labels"'\0000\0000\0001\0000\0001'
  answer=$({ printf '%b' "$message"; sleep "$timeout"; } | get "telnet://$at:$port" 2>/dev/null | od -An -v -tx1 -N 6 | tr -d ' \n')
  # its length, the number that was sent, and flags, whose last digit is the error
  case $answer in
    ????4c56???0) ;;
    ????4c56????) reason "the answer is error ${$}{answer#???????????}";;
    *) reason 'no answer to the query';;
  esac
}
# runs the command of the check, which its user has declared; nothing else of it is read but how it ends and its first line
ask_command() {
  [ -n "$command" ] || { printf '%s\n' 'the check names no command'; return 3; }
  answer=$(
    {
      # what it leaves behind may hold the pipe open for ever
      { ADDRESS=$address PORT=$port timeout $then_kill "$timeout" sh -c "$command" 2>&1 4>&-; printf 'ended %d\n' $? >&4; } |
        timeout $((timeout + 2)) head -c $most | body= look_at >&4
    } 4>&1
  )
  part page "$answer" || { reason 'what the command printed could not be read'; return; }
  bytes=${$}{words%% *} words=${$}{words#* } first=${$}{words#* }
  part ended "$answer" || { reason 'the command was ended'; return; }
  [ "$bytes" -lt $most ] || { reason 'the command printed more than 1 MB'; return; }
  case $words in
    0) ;;
    124|143) reason "the command took longer than $timeout s";;
    137) reason "the command was killed: it took longer than $timeout s, or memory ran out";;
    *) reason "the command ended with $words" "$first";;
  esac
}
`;
