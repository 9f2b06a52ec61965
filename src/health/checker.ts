// in the text below a brace after a dollar would be TypeScript's
const $ = "$";

/**
 * Shell functions that check one server, as a process of its own that counts and writes down its verdict when that changes.
 * POSIX sh; of curl only what every build of it has, but for telnet, which is done without where it is missing.
 */
export const checker = String.raw`
nl='
'
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
# 0: well; 1: not, and says why; 3: nothing can be said
ask() {
  if [ "$through" = vip ]; then
    # without its way a request would be answered by any server that is well
    passage "$n" "$spec"; [ -n "$vipless" ] || intact "$(read_ipvs)" || vipless='its way through the VIP is not whole'
    [ -z "$vipless" ] || { echo "$vipless"; return 3; }
    from="--interface $dip --local-port $ports"
  fi
  [ "$type" = command ] || command -v curl >/dev/null || { echo 'curl: not found'; return 3; }
  case $type in
    http|https) ask_http;;
    tcp) ask_tcp;;
    dns) ask_dns;;
    command)
      command -v timeout >/dev/null || { echo 'timeout: not found'; return 3; }
      said=$(ADDRESS=$address PORT=$port timeout "$timeout" sh -c "$command" 2>&1) && return
      rc=$?; [ $rc != 124 ] || { echo "the command took longer than $timeout s"; return 1; }
      first "the command ended with $rc" "$said"; return 1;;
  esac
}
# what went wrong, in a line
first() {
  said=$(printf '%s\n' "$2" | sed -n 's/^.*curl: ([0-9]*) //; s|[[:cntrl:]]| |g; /[^ 0]/{p;q;}')
  [ -z "$said" ] || set -- "$1: $said"
  echo "$1"
}
complaint() { printf '%s\n' "$1" | sed -n '\|curl: ([0-9]*) |{s/ after [0-9]* m*s[a-z]*//;p;}'; }
get() { curl -q -sS --noproxy '*' --connect-timeout "$connect" -m "$timeout" $from "$@" 2>&1; }
ask_http() {
  name=$at; [ -z "$host" ] || name=$host
  set --
  [ "$type" != https ] || [ "$verify" = yes ] || set -- -k
  [ -z "$host" ] || set -- "$@" --connect-to "::$at:$port"
  page=$(get "$@" -g -H 'Connection: close' -w '\n%{http_code}\n' "$type://$name:$port$path") || { first "no answer" "$(complaint "$page")"; return 1; }
  code=${$}{page##*"$nl"}
  case ",$status," in *",$code,"*) ;; *) echo "status $code"; return 1;; esac
  [ -z "$body" ] || case $page in *"$body"*) ;; *) echo "the page does not contain $body"; return 1;; esac
}
# whatever is spoken there, that a connection is taken is told by the time it took
ask_tcp() {
  case $(curl -q -V) in *telnet*) way=telnet;; *) way=http;; esac
  took=$(get -o /dev/null -w '\n%{time_connect}\n' "$way://$at:$port" </dev/null); said=$took
  took=${$}{took##*"$nl"}
  case $took in *[1-9]*) return 0;; esac
  first "no connection" "$(complaint "$said")"; return 1
}
# a query for an address over TCP (RFC 7766)
ask_dns() {
  command -v od >/dev/null || { echo 'od: not found'; return 3; }
  case $(curl -q -V) in *telnet*) ;; *) echo 'this curl has no telnet, which DNS is asked by'; return 3;; esac
  labels= length=17 rest=${$}{query%.}
  while [ -n "$rest" ]; do
    label=${$}{rest%%.*}; case $rest in *.*) rest=${$}{rest#*.};; *) rest=;; esac
    labels="$labels$(printf '\\%03o' ${$}{#label})$label" length=$((length + ${$}{#label} + 1))
  done
  message='\0'$(printf '\\%03o' "$length")'LV\001\000\000\001\000\000\000\000\000\000'"$labels"'\000\000\001\000\001'
  answer=$({ printf "$message"; sleep "$timeout"; } | curl -q -sS --noproxy '*' --connect-timeout "$connect" -m "$timeout" $from "telnet://$at:$port" 2>/dev/null | od -An -v -tx1 -N 6 | tr -d ' \n')
  # its length, the number that was sent, and flags, whose last digit is the error
  case $answer in
    ????4c56???0) ;;
    ????4c56????) echo "the answer is error ${$}{answer#???????????}"; return 1;;
    *) echo 'no answer to the query'; return 1;;
  esac
}

# number of the check; its words are in its file
check() {
  n=$1; IFS= read -r line <"$S/checks/$n" || exit
  spec=${$}{line#*"$tab"}; verdict=${$}{spec%%"$tab"*}; spec=${$}{spec#*"$tab"}; spec=${$}{spec#*"$tab"}
  parse "$spec"
  good=0 bad=0 mute= told=
}
conclude() {
  why=$(ask); rc=$?
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
    [ -n "$mute" ] || echo "$S/checks/$n: cannot be written: $address:$port is $1" >&2
    mute=1; return
  }
  verdict=$1 mute=
  [ -z "$supervisor" ] || echo wake >&8
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
