# complaint TEXT CODE: prints the error of curl without the time it took, or its exit code if it printed none.
complaint() {
  words=
  case $1 in *'curl: ('*) words=$(printf '%s\n' "$1" | sed -n 's/^curl: ([0-9]*) //; t found
b
: found
s/ after [0-9]* m*s[a-z]*//; p; q') ;; esac
  [ -n "$words" ] || [ "$2" = 0 ] || words="curl ended with $2"
  [ -z "$words" ] || one_line "$words"
}
get() { curl -q -sS --noproxy '*' --connect-timeout "$connect" -m "$timeout" $from "$@"; }
# read_page: reads the pipe. Prints the number of bytes, whether a line contains $body, and the first line that is not
# blank.
read_page() {
  or_lost tr -d '\000' | wanted=$body awk '
    { n += length($0) + 1; if (index($0, ENVIRON["wanted"])) found = 1 }
    first == "" && /[^ \t\r]/ { first = substr($0, 1, 400); gsub(/[^ -~]/, "?", first) }
    END { printf "page %d %d %s\n", n, found, first }'
}
# speaks_telnet: returns 0 if curl has telnet, the check that sends least to a server.
speaks_telnet() { case $(curl -q -V) in *telnet*) ;; *) return 1 ;; esac }
# could_not CODE LAST_LINE: returns 0 if the director itself could not connect. Decides by the exit code of curl and its
# last line, which begins with the time of the first byte. Sets complained if more is known. A killed curl counts as
# failed, because a server may cause that.
could_not() {
  [ "$1" -le 128 ] || [ "$1" -gt 192 ] || return 1
  case $1 in
    # Not initialised; no local address or port; no TLS; no certificates.
    2 | 45 | 66 | 77) return 0 ;;
    # For a server that is down the cause makes no difference.
    7)
      [ "$result" != down ] || return 1
      no_socket
      return
      ;;
    # Out of memory. Some versions return it for headers that are too long, too.
    27) case ${2%% *} in *[1-9]*) return 1 ;; *) return 0 ;; esac ;;
  esac
  # Without that line curl failed before its request.
  case $2 in [0-9]*.[0-9]*) return 1 ;; esac
}
# no_socket: separates a refused connection from one without a local port. curl ends with 7 for both and shows which
# only with -v, so this connects once more. If that succeeds, the output may be the server's and is not read.
no_socket() {
  no_telnet=http
  ! speaks_telnet || no_telnet=telnet
  seen=$(
    get -v -m "$connect" -o /dev/null -w '\n%{time_connect}\n' "$no_telnet://$at:$port" 2>&1 </dev/null 4>&- |
      tail -c 2000
  )
  case ${seen##*"$nl"} in
    '' | *[!0-9.]*)
      complained='curl could not be run again'
      return 0
      ;;
    *[1-9]*)
      complained='a connection failed, and the next one did not'
      return 0
      ;;
  esac
  seen=$(printf '%s\n' "$seen" | sed -n '/^\* .*Immediate connect fail for /{s/.*: //p;q
}
/^\* .*failed to open socket: /{s/.*: //p;q
}')
  case $seen in
    # The messages of glibc and of musl.
    'Cannot assign requested address' | 'Address not available') ;;
    'Cannot allocate memory' | 'Out of memory' | 'No buffer space available' | 'Resource temporarily unavailable') ;;
    'Too many open files'* | 'No file descriptors available') ;;
    'Operation not permitted' | 'Permission denied') ;;
    *) return 1 ;;
  esac
  complained="the director cannot connect: $seen"
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
        output=$(get -o /proc/self/fd/5 -w '\n%{time_starttransfer} %{http_code}\n' "$@" 2>&1 4>&-)
        rc=$?
      } 5>&1
      words=${output##*"$nl"} complained=$(complaint "$output" "$rc") own=director
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
