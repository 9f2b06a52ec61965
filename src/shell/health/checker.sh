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
# check_server: runs the check. Returns 0 if the server is well, 1 with a reason if it is not. Any other code says
# nothing about the server.
check_server() {
  if [ "$through" = vip ]; then
    # Without the VIP path any healthy server could answer.
    read_vip_path "$n" "$spec"
    [ -n "$vipless" ] || is_intact "$(read_ipvs)" ||
      vipless='the firewall mark or the private service of the VIP check is missing'
    [ -z "$vipless" ] || {
      unable "$vipless"
      return
    }
    from="--interface $dip --local-port $ports"
  fi
  case $type in
    http | https) needs curl head sed tail tr && check_http ;;
    tcp) needs curl sed tail && check_tcp ;;
    dns) needs curl head od sed tail && check_dns ;;
    command) needs timeout head tr && check_command ;;
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
  return "$NOT_CHECKED"
}
check_http() {
  name=$at
  [ -z "$host" ] || name=$host
  set --
  [ "$type" != https ] || [ "$verify" = yes ] || set -- -k
  [ -z "$host" ] || set -- "$@" --connect-to "::$at:$port"
  answer=$(get_page read_page "$@" -g -H 'Connection: close' "$type://$name:$port$path")
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
  [ -z "$body" ] || [ "$found" = 1 ] || reason "the page does not contain the text of check.body"
}
# check_tcp: connects. The connect time shows that the server accepted, whatever protocol it speaks. Telnet sends the
# server the least, and a curl without it ends with 1.
check_tcp() {
  for way in telnet http; do
    printed=$(get -o /dev/null -w '\n%{time_connect}\n' "$way://$at:$port" 2>&1 </dev/null)
    rc=$?
    [ $rc = 1 ] || break
  done
  last=${printed##*"$nl"}
  case $last in *[!0-9.]*) ;; *[1-9]*) return 0 ;; esac
  complained=$(complaint "$printed" "$rc")
  ! could_not "$rc" "$last" || {
    unable "$complained"
    return
  }
  reason 'no connection' "$complained"
}
# read_dns: prints the first bytes of a DNS answer.
read_dns() {
  printf 'dns %s\n' "$(or_lost od -An -v -tx1 -N 6 | tr -d ' \n')"
  or_lost cat >/dev/null
}
# check_dns: sends a query for an address over TCP (RFC 7766).
check_dns() {
  [ -n "$query" ] || {
    unable 'the check names no query'
    return
  }
  speaks_telnet || {
    unable 'this curl has no telnet, which a DNS check needs'
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
  } | get_page read_dns "telnet://$at:$port")
  arrived "$answer" dns || return
  # The length, the id that was sent, and the flags, whose last digit is the error.
  case $words in
    ????4c56???0) ;;
    ????4c56????) reason "the answer is error ${words#???????????}" ;;
    *) reason 'no answer to the query' ;;
  esac
}
# check_command: runs the command that the user declared. Uses only its exit code and its first line of output.
check_command() {
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
        or_lost timeout $((timeout + 2)) head -c $most | body= read_page >&4
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
