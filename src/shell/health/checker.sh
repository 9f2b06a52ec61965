nl='
'
most=1048576
# one_line TEXT: prints the first line, cut to 200 characters, only printable ones. All foreign text passes it.
one_line() { printf '%.200s\n' "${1%%"$nl"*}" | tr -c '\040-\176\n' '?'; }
is_number() { case $1 in '' | *[!0-9]*) return 1 ;; esac }
# parse SPEC: sets a variable for each field of a check, by its name. The evaluation writes all fields.
parse() {
  old=$IFS
  IFS=$tab
  set -f
  for field in $1; do
    case ${field%%=*} in
      '' | *[!a-z]*) ;;
      *)
        # shellcheck disable=SC2163 # POSIX has no other assignment by name
        export "$field"
        ;;
    esac
  done
  IFS=$old
  set +f
  # A spec that is cut off lacks some.
  type=${type:-http} connect=${connect:-1} timeout=${timeout:-3} interval=${interval:-5} rise=${rise:-3} fall=${fall:-3}
  # The address that curl connects to.
  at=$address from=
  [ "$through" != vip ] || at=$vip
  case $at in *:*) at="[$at]" ;; esac
}
needs() { for tool; do command -v "$tool" >/dev/null || {
  unable "$tool: not found"
  return
}; done; }
# ask: runs the check. Returns 0 if the server is well, 1 with a reason if it is not. Any other code says nothing about
# the server.
ask() {
  if [ "$through" = vip ]; then
    # Without the VIP path any healthy server could answer.
    passage "$n" "$spec"
    [ -n "$vipless" ] || intact "$(read_ipvs)" || vipless='its way through the VIP is not whole'
    [ -z "$vipless" ] || {
      unable "$vipless"
      return
    }
    from="--interface $dip --local-port $ports"
  fi
  case $type in
    http | https) needs curl head sed tail tr && ask_http ;;
    tcp) needs curl sed tail && ask_tcp ;;
    dns) needs curl head od sed tail && ask_dns ;;
    command) needs timeout head tr && ask_command ;;
    *) unable 'the type of the check is not known' ;;
  esac
}
# reason TEXT WORDS: prints the text, and the words if there are any. Returns 1.
reason() {
  printf '%s\n' "$1${2:+: $2}"
  return 1
}
unable() {
  printf '%s\n' "$1"
  return 3
}
# complaint TEXT CODE: prints the error of curl without the time it took, or its exit code if it printed none.
complaint() {
  words=$(printf '%s\n' "$1" | sed -n 's/^curl: ([0-9]*) //; t found
b
: found
s/ after [0-9]* m*s[a-z]*//; p; q')
  [ -n "$words" ] || [ "$2" = 0 ] || words="curl ended with $2"
  one_line "$words"
}
get() { curl -q -sS --noproxy '*' --connect-timeout "$connect" -m "$timeout" $from "$@"; }
# look_at: reads the pipe. Prints the number of bytes, whether a line contains $body, and the first line that is not
# blank.
look_at() {
  or_lost tr -d '\000' | look_for=$body awk '
    { n += length($0) + 1; if (index($0, ENVIRON["look_for"])) found = 1 }
    first == "" && /[^ \t\r]/ { first = substr($0, 1, 400); gsub(/[^ -~]/, "?", first) }
    END { printf "page %d %d %s\n", n, found, first }'
}
# speaks_telnet: returns 0 if curl has telnet, the check that sends least to a server.
speaks_telnet() { case $(curl -q -V) in *telnet*) ;; *) return 1 ;; esac }
# could_not CODE LAST_LINE: returns 0 if the director itself could not connect. Judges by the exit code of curl and its
# last line, which begins with the time of the first byte. Sets complained if more is known. A killed curl counts as
# failed, because a server may cause that.
could_not() {
  [ "$1" -le 128 ] || [ "$1" -gt 192 ] || return 1
  case $1 in
    # Not initialised; no local address or port; no TLS; no certificates.
    2 | 45 | 66 | 77) return 0 ;;
    7)
      no_socket
      return
      ;;
    # Out of memory. Some versions return it for headers that are too long, too.
    27) case ${2%% *} in *[1-9]*) return 1 ;; *) return 0 ;; esac ;;
  esac
  # Without that line curl failed before its request.
  case $2 in [0-9]*.[0-9]*) return 1 ;; esac
}
# no_socket: tells a refused connection from one without a local port. curl ends with 7 for both and tells them apart
# only with -v, so this connects once more. If that succeeds, the output may be the server's and is not read.
no_socket() {
  no_telnet=http
  ! speaks_telnet || no_telnet=telnet
  looked=$(
    get -v -m "$connect" -o /dev/null -w '\n%{time_connect}\n' "$no_telnet://$at:$port" 2>&1 </dev/null 4>&- |
      tail -c 2000
  )
  case ${looked##*"$nl"} in
    '' | *[!0-9.]*)
      complained='curl could not be run again'
      return 0
      ;;
    *[1-9]*)
      complained='a connection failed, and the next one did not'
      return 0
      ;;
  esac
  looked=$(printf '%s\n' "$looked" | sed -n '/^\* .*Immediate connect fail for /{s/.*: //p;q
}
/^\* .*failed to open socket: /{s/.*: //p;q
}')
  case $looked in
    # The messages of glibc and of musl.
    'Cannot assign requested address' | 'Address not available') ;;
    'Cannot allocate memory' | 'Out of memory' | 'No buffer space available' | 'Resource temporarily unavailable') ;;
    'Too many open files'* | 'No file descriptors available') ;;
    'Operation not permitted' | 'Permission denied') ;;
    *) return 1 ;;
  esac
  complained="the director cannot connect: $looked"
}
# or_lost TOOL ARG...: reports on descriptor 4 if the tool failed. A timeout is no failure.
or_lost() { "$@" || case $? in 124 | 143) ;; *) printf 'lost %s\n' "$1" >&4 ;; esac }
# get_page READER ARG...: runs curl with the arguments. Prints a line about curl and the output of the reader, in either
# order. The page has its own pipe, so that nothing in it can pass for output of curl.
get_page() {
  reader=$1
  shift
  {
    {
      {
        told=$(get -o /proc/self/fd/5 -w '\n%{time_starttransfer} %{http_code}\n' "$@" 2>&1 4>&-)
        rc=$?
      } 5>&1
      words=${told##*"$nl"} complained=$(complaint "$told" "$rc") own=director
      could_not "$rc" "$words" || own=server
      printf 'curl %d %s %.3s %s\n' "$rc" "$own" "${words##* }" "$complained" >&4
    } | or_lost head -c $most | "$reader" >&4
  } 4>&1
}
# part NAME TEXT: sets words to the rest of the line that begins with NAME.
part() {
  case $2 in "$1 "*) words=${2#* } ;; *"$nl$1 "*) words=${2##*"$nl$1 "} ;; *) return 1 ;; esac
  words=${words%%"$nl"*}
}
# arrived ANSWER KIND: parses the output of get_page. Sets rc, code and complained, and words to the reader's line of
# that kind.
arrived() {
  ! part lost "$1" || {
    unable "${words%% *} failed"
    return
  }
  part curl "$1" || {
    unable 'curl could not be started'
    return
  }
  rc=${words%% *} words=${words#* } own=${words%% *} words=${words#* } code=${words%% *} complained=${words#* }
  [ "$own" = server ] || {
    unable "$complained"
    return
  }
  part "$2" "$1" || unable 'what came could not be read'
}
ask_http() {
  name=$at
  [ -z "$host" ] || name=$host
  set --
  [ "$type" != https ] || [ "$verify" = yes ] || set -- -k
  [ -z "$host" ] || set -- "$@" --connect-to "::$at:$port"
  answer=$(get_page look_at "$@" -g -H 'Connection: close' "$type://$name:$port$path")
  arrived "$answer" page || return
  bytes=${words%% *} words=${words#* } found=${words%% *}
  # curl fails with 23 if its reader stops at the limit.
  [ "$rc" != 23 ] || [ "$bytes" = 0 ] || {
    reason 'the page is longer than 1 MB'
    return
  }
  [ "$rc" = 0 ] || {
    reason 'no answer' "$complained"
    return
  }
  case ",$status," in *",$code,"*) ;; *)
    reason "status $code"
    return
    ;;
  esac
  [ -z "$body" ] || [ "$found" = 1 ] || reason "the page does not contain $body"
}
# ask_tcp: connects. The connect time shows that the server accepted, whatever protocol it speaks.
ask_tcp() {
  way=http
  ! speaks_telnet || way=telnet
  said=$(get -o /dev/null -w '\n%{time_connect}\n' "$way://$at:$port" 2>&1 </dev/null)
  rc=$?
  last=${said##*"$nl"}
  case $last in *[!0-9.]*) ;; *[1-9]*) return 0 ;; esac
  complained=$(complaint "$said" "$rc")
  ! could_not "$rc" "$last" || {
    unable "$complained"
    return
  }
  reason 'no connection' "$complained"
}
# look_at_dns: prints the first bytes of a DNS answer.
look_at_dns() {
  printf 'dns %s\n' "$(or_lost od -An -v -tx1 -N 6 | tr -d ' \n')"
  or_lost cat >/dev/null
}
# ask_dns: sends a query for an address over TCP (RFC 7766).
ask_dns() {
  [ -n "$query" ] || {
    unable 'the check names no query'
    return
  }
  speaks_telnet || {
    unable 'this curl has no telnet, which DNS is asked by'
    return
  }
  labels= length=17 rest=${query%.}
  while [ -n "$rest" ]; do
    label=${rest%%.*}
    case $rest in *.*) rest=${rest#*.} ;; *) rest= ;; esac
    labels="$labels$(printf '\\0%03o' ${#label})$label" length=$((length + ${#label} + 1))
  done
  message='\0000'$(printf '\\0%03o' "$length")'LV\0001\0000\0000\0001\0000\0000\0000\0000\0000\0000'
  message=$message$labels'\0000\0000\0001\0000\0001'
  answer=$({
    printf '%b' "$message"
    sleep "$timeout"
  } | get_page look_at_dns "telnet://$at:$port")
  arrived "$answer" dns || return
  # The length, the id that was sent, and the flags, whose last digit is the error.
  case $words in
    ????4c56???0) ;;
    ????4c56????) reason "the answer is error ${words#???????????}" ;;
    *) reason 'no answer to the query' ;;
  esac
}
# ask_command: runs the command that the user declared. Uses only its exit code and its first line of output.
ask_command() {
  [ -n "$command" ] || {
    unable 'the check names no command'
    return
  }
  answer=$(
    {
      # A background process of the command may keep the pipe open forever.
      {
        ADDRESS=$address PORT=$port timeout $then_kill "$timeout" sh -c "$command" 2>&1 4>&-
        printf 'ended %d\n' $? >&4
      } |
        or_lost timeout $((timeout + 2)) head -c $most | body= look_at >&4
    } 4>&1
  )
  ! part lost "$answer" || {
    unable "${words%% *} failed"
    return
  }
  part page "$answer" || {
    unable 'what the command printed could not be read'
    return
  }
  bytes=${words%% *} words=${words#* } first=${words#* }
  part ended "$answer" || {
    unable 'the command could not be started'
    return
  }
  [ "$bytes" -lt $most ] || {
    reason 'the command printed more than 1 MB'
    return
  }
  case $words in
    0) ;;
    # timeout or sh could not run it, or it could not run a program that it needs.
    125 | 126 | 127) unable "the command ended with $words${first:+: $first}" ;;
    124 | 143) reason "the command took longer than $timeout s" ;;
    137) reason "the command was killed: it took longer than $timeout s, or memory ran out" ;;
    *) reason "the command ended with $words" "$first" ;;
  esac
}
