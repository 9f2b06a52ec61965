import { readMonitor } from "./health/install.js";
import { lockFunctions } from "./lock.js";
import { refusals } from "./refusals.js";
import { readRivals } from "./rivals.js";

// in the text below a brace after a dollar would be TypeScript's
const $ = "$";

const functions = `${lockFunctions}${readRivals}${String.raw`
S=/run/pulumi-lvs E=/etc/pulumi-lvs
# what has systemd run E/restore at boot
W=/etc/systemd/system/multi-user.target.wants/pulumi-lvs.service
say() { printf '%s %s\n' "$N" "$*"; }
text() { printf '%s\n' "$1" | while IFS= read -r line; do say "text $line"; done; }
# with its length, so that whatever else is written in between, or lost, is noticed
fact() {
  say "fact $1"; shift
  # what only looks begins nothing more once it is late; what has acted must see what came of it
  if [ -n "$late" ] && [ -n "$looks" ]; then printf '\n'; say "error 124"; return; fi
  out=$("$@" 2>/dev/null; rc=$?; printf .; exit $rc); rc=$? out=${$}{out%.}
  printf '%s\n' "$out"
  if [ $rc = 0 ]; then say "end ${$}{#out}"; else
    say "error $rc"
    # what hung would hang again
    [ -n "$late" ] || text "$("$@" 2>&1 >/dev/null)"
  fi
}

# --- reading
has() { command -v "$1" >/dev/null || { printf '%s\n' "$1: not found" >&2; return 127; }; }
# without the module the table is empty, and ipvsadm would load it just for looking
list_ipvs() { [ ! -e /proc/net/ip_vs ] || { has ipvsadm && ipvsadm "$@"; }; }
read_ipvs() { list_ipvs -Sn; }
# the counts of connections at the end of each line tick
read_thresholds() { out=$(list_ipvs -Ln --thresholds) && printf '%s\n' "$out" | sed 's/^\(  -> [^ ]*  *[0-9][0-9]*  *[0-9][0-9]*\) .*/\1/'; }
read_timeouts() { list_ipvs -Ln --timeout; }
read_daemons() { list_ipvs -Ln --daemon; }
# lifetimes tick, so they would make every reading differ from the last
read_addresses() { has ip && out=$(ip -j addr show) && printf '%s\n' "$out" | sed 's/_life_time":[0-9]*/_life_time":0/g'; }
# a table without any route does not exist, and ip calls that an error; any other error is no empty table
read_routes() {
  has ip || return
  if out=$(ip -j "-$1" route show table "$2" 2>/dev/null); then printf '%s\n' "$out"; return; fi
  case $(ip -j "-$1" route show table "$2" 2>&1) in *'table does not exist'*) echo '[]';; *) ip -j "-$1" route show table "$2";; esac
}
# not by the shell's own read: dash's takes one byte at a time, and a sysctl gives only its first one so
read_sysctl() { [ ! -e "/proc/sys/$1" ] || cat "/proc/sys/$1"; }
read_claim() {
  [ -e "/run/pulumi-lvs/$1/owners" ] || return 0
  while IFS= read -r line; do printf '%s\n' "$line"; done <"/run/pulumi-lvs/$1/owners"
}
read_module() {
  if [ -d "/sys/module/$1" ]; then echo loaded; else echo absent; return 0; fi
  for f in "/sys/module/$1/parameters/"*; do
    [ ! -r "$f" ] || printf '%s=%s\n' "$(basename "$f")" "$(cat "$f")"
  done
}

# what is to come back after a reboot, and what is declared until then; first, whether anything would bring it back
read_declared() {
  [ ! -e "$S/boot" ] && [ ! -e "$E/boot" ] && return
  [ ! -e "$E/restore" ] || [ ! -e "$W" ] || echo restored
  echo --; [ ! -e "$E/boot" ] || cat "$E/boot"
  echo; echo --; [ ! -e "$S/boot" ] || cat "$S/boot"
}
read_owners() { read_lines owners; }
read_draining() { read_lines draining; }
read_drained() { read_lines drained; }
read_lines() { [ ! -e "$S/$1" ] || cat "$S/$1"; }
# these two tick, and so take no part in the digest of facts
read_connections() { [ ! -e /proc/net/ip_vs ] || { has ipvsadm && ipvsadm -Ln --persistent-conn; }; }
read_clock() { date +%s; }

# --- addresses
# interface, address: by default the kernel takes away with a primary address every later one of its network, whosever it is
drop_address() {
  p=/proc/sys/net/ipv4/conf/$1/promote_secondaries old=
  [ ! -w "$p" ] || { old=$(cat "$p"); echo 1 >"$p"; }
  ip addr del "$2" dev "$1"; rc=$?
  [ -z "$old" ] || printf '%s\n' "$old" >"$p"
  return $rc
}

# interface, address: tells the neighbours, more than once, since it may be lost, and in both forms, since some heed only one
announce() {
  arping -q -U -c 1 -I "$1" "$2" || return
  # who comes too late is not to be told of what has gone
  (
    # arping itself takes a second each
    for form in -A -U -A -U; do
      ip -o addr show dev "$1" 2>/dev/null | grep -qF " $2/" || exit
      arping -q $form -c 1 -I "$1" "$2"
    done
  ) >/dev/null 2>&1 9<&- &
}

# --- objects and whose they are
full() { printf '%s\n' "$1: cannot be written to" >&2; return ${refusals.noRoom}; }
# directory: what was drained is told of for as long as there is anything else of ours
leave() { [ "$(ls -A "$1" 2>/dev/null)" != drained ] || rm -f "$1/drained"; rmdir "$1" 2>/dev/null; :; }
# directory, file, lines: an append, so that it costs no process; one that was cut short for want of room is taken back
add_lines() {
  d=$1 name=$2 f=$1/$2; shift 2
  [ -d "$d" ] || mkdir -p "$d" || return
  { printf '%s\n' "$@" >>"$f"; } 2>/dev/null && return
  # a last line without its end is no line
  whole=$(while IFS= read -r line; do printf '%s\n' "$line"; done <"$f")
  put_lines "$d" "$f" "$whole"; cut_lines "$d" "$name" "$@"; full "$d"
}
# directory, file, text: a shorter one always has room, be it in place; the file goes with the last line
put_lines() {
  if [ -z "$3" ]; then rm -f "$2" && leave "$1"; return; fi
  { printf '%s\n' "$3" >"$1/new"; } 2>/dev/null && mv "$1/new" "$2" && return
  rm -f "$1/new"; { printf '%s\n' "$3" >"$2"; } 2>/dev/null || full "$1"
}
# directory, file, lines
cut_lines() {
  d=$1 f=$1/$2; shift 2
  for line; do shift; set -- "$@" -e "$line"; done
  rest=$([ ! -e "$f" ] || grep -vxF "$@" <"$f") || [ $? = 1 ] || return
  put_lines "$d" "$f" "$rest"
}
mark() { add_lines "$S" owners "$@"; }
unmark() { cut_lines "$S" owners "$@"; }

# --- settings and who wants them
no_room() { rmdir "$S/$1" "$S" 2>/dev/null; full "$S"; }
claim() {
  mkdir -p "$S/$1" || return
  if [ ! -e "$S/$1/found" ]; then
    { printf '%s\n' "$2" >"$S/$1/new"; } 2>/dev/null && mv "$S/$1/new" "$S/$1/found" || { rm -f "$S/$1/new"; no_room "$1"; return; }
  fi
  grep -qxF -e "$owner" "$S/$1/owners" 2>/dev/null || { printf '%s\n' "$owner" >>"$S/$1/owners"; } 2>/dev/null || no_room "$1"
}
# 0: the caller was the last owner, $found is what to put back, and forget ends the record; 1: it is others' now, or nobody's
release() {
  [ -s "$S/$1/owners" ] || return 1
  rest=$(grep -vxF -e "$owner" "$S/$1/owners"); [ $? -le 1 ] || return 2
  if [ -z "$rest" ]; then found=$(cat "$S/$1/found"); return; fi
  { printf '%s\n' "$rest" >"$S/$1/new"; } 2>/dev/null && mv "$S/$1/new" "$S/$1/owners" && return 1
  rm -f "$S/$1/new"; no_room "$1"; return 2
}
forget() { rm -rf "$S/$1" && leave "$S"; }

# record, file
claim_file() {
  [ -e "$2" ] || { printf '%s\n' "$2: there is no such setting" >&2; return 4; }
  claim "$1" "$(cat "$2")"
}
# file, value
put_file() {
  [ -w "$1" ] || { printf '%s\n' "$1 cannot be changed (a module's parameter may be one that counts only while it is loaded)" >&2; return 4; }
  { printf '%s\n' "$2" >"$1"; } 2>/dev/null || { printf '%s\n' "$1: the kernel refuses $2" >&2; return 4; }
}
restore_file() {
  release "$1"; case $? in 1) return 0;; 2) return ${refusals.noRoom};; esac
  [ ! -e "$2" ] || [ "$(cat "$2")" = "$found" ] || put_file "$2" "$found" || return
  forget "$1"
}
# record, pattern of files that another setting drags along: found has a line for each, FILE:VALUE
claim_dragged() { claim "$1" "$(grep -sH . $2)"; }
restore_dragged() {
  release "$1"; case $? in 1) return 0;; 2) return ${refusals.noRoom};; esac
  printf '%s\n' "$found" | while IFS=: read -r f value; do
    [ ! -w "$f" ] || [ "$(cat "$f")" = "$value" ] || put_file "$f" "$value" || return
  done || return
  forget "$1"
}
# undoes restore_file: record, file, the value it had
retake_file() { claim_file "$1" "$2" && put_file "$2" "$3"; }

# record; looking loads ip_vs where it is missing, as setting would
claim_timeouts() { has ipvsadm && out=$(ipvsadm -Ln --timeout) && claim "$1" "$(printf '%s\n' "$out" | sed 's/.*: //')"; }
restore_timeouts() {
  release "$1"; case $? in 1) return 0;; 2) return ${refusals.noRoom};; esac
  [ ! -e /proc/net/ip_vs ] || ipvsadm --set $found || return
  forget "$1"
}
# undoes restore_timeouts: record, the three
retake_timeouts() { claim_timeouts "$1" && shift && ipvsadm --set "$@"; }

# record, module: found lists the modules that loading it brings along, itself first
claim_module() {
  has modprobe || return
  if [ -d "/sys/module/$2" ]; then claim "$1" loaded; return; fi
  found=$(modprobe --show-depends "$2") || return
  claim "$1" "$(printf '%s\n' "$found" | while read -r how path rest; do
    [ "$how" = insmod ] || continue
    m=$(basename "$path" | sed 's/\.ko.*//; y/-/_/'); [ -d "/sys/module/$m" ] || printf '%s\n' "$m"
  done | sed '1!G; h; $!d')"
}
restore_module() {
  release "$1"; case $? in 1) return 0;; 2) return ${refusals.noRoom};; esac
  [ "$found" = loaded ] || for m in $(ls "/sys/module/$2/holders" 2>/dev/null) $found; do
    # a module that somebody uses now is theirs to unload
    [ "$(cat "/sys/module/$m/refcnt" 2>/dev/null)" != 0 ] || rmmod "$m" || return
  done
  forget "$1"
}
# undoes restore_module: record, module, its options
retake_module() { claim_module "$1" "$2" && shift && modprobe "$@"; }
`}`;

/**
 * Shell functions that every script starts with. POSIX sh; nothing but what a minimal Debian, RHEL or Alpine has.
 *
 * Who owns what is kept on the host, readable by people, for as long as the things themselves live: until reboot, or until
 * the last owner lets go. Objects (entries, addresses, routes) have one owner: a line each in /run/pulumi-lvs/owners. Settings
 * (sysctls, modules) are never absent and may be wanted by several resources at once, so what was found before the first of
 * them is kept too: /run/pulumi-lvs/SETTING/{found,owners}.
 */
export const prelude = functions + readMonitor(functions);
