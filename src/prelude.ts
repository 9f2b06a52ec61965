/**
 * Shell functions that every script starts with. POSIX sh; nothing but what a minimal Debian, RHEL or Alpine has.
 *
 * Settings (sysctls, modules) are never absent and may be wanted by several resources at once, so what was found before
 * the first of them and who wants it now are kept on the host, readable by people: /run/pulumi-lvs/SETTING/{found,owners}.
 * The directory lives exactly as long as the settings themselves do: until reboot, or until the last owner lets go.
 */
export const prelude = String.raw`
say() { printf '%s %s\n' "$N" "$*"; }
text() { printf '%s\n' "$1" | while IFS= read -r line; do say "text $line"; done; }
fact() {
  say "fact $1"; shift
  "$@" 2>/dev/null; rc=$?
  printf '\n'
  if [ $rc = 0 ]; then say end; else say "error $rc"; text "$("$@" 2>&1 >/dev/null)"; fi
}

# --- reading
has() { command -v "$1" >/dev/null || { echo "$1: not found" >&2; return 127; }; }
# without the module the table is empty, and ipvsadm would load it just for looking
read_ipvs() { [ ! -e /proc/net/ip_vs ] || { has ipvsadm && ipvsadm -Sn; }; }
# lifetimes tick, so they would make every reading differ from the last
read_addresses() { has ip && ip -j addr show | sed 's/_life_time":[0-9]*/_life_time":0/g'; }
# a table without any route does not exist, and ip calls that an error
read_routes() { has ip && { ip -j "-$1" route show table "$2" 2>/dev/null || echo '[]'; }; }
read_sysctl() { [ ! -e "/proc/sys/$1" ] || cat "/proc/sys/$1"; }
read_module() {
  if [ -d "/sys/module/$1" ]; then echo loaded; else echo absent; return 0; fi
  for f in "/sys/module/$1/parameters/"*; do
    [ ! -r "$f" ] || printf '%s=%s\n' "$(basename "$f")" "$(cat "$f")"
  done
}

# --- settings and who wants them
S=/run/pulumi-lvs
claim() {
  mkdir -p "$S/$1" || return
  [ -e "$S/$1/found" ] || { printf '%s\n' "$2" >"$S/$1/new" && mv "$S/$1/new" "$S/$1/found"; } || return
  grep -qxF -e "$owner" "$S/$1/owners" 2>/dev/null || printf '%s\n' "$owner" >>"$S/$1/owners"
}
# true when the caller was the last owner; then $found is what to put back, and forget ends the record
release() {
  [ -s "$S/$1/owners" ] || return 1
  grep -vxF -e "$owner" "$S/$1/owners" >"$S/$1/new"
  if [ -s "$S/$1/new" ]; then mv "$S/$1/new" "$S/$1/owners"; return 1; fi
  rm -f "$S/$1/new"; found=$(cat "$S/$1/found")
}
forget() { rm -rf "$S/$1" && { rmdir "$S" 2>/dev/null; :; }; }

# setting, path under /proc/sys
claim_sysctl() {
  [ -e "/proc/sys/$2" ] || { echo "/proc/sys/$2: no such sysctl" >&2; return 4; }
  claim "$1" "$(cat "/proc/sys/$2")"
}
put_sysctl() { printf '%s\n' "$2" >"/proc/sys/$1"; }
restore_sysctl() {
  release "$1" || return 0
  [ ! -e "/proc/sys/$2" ] || [ "$(cat "/proc/sys/$2")" = "$found" ] || put_sysctl "$2" "$found" || return
  forget "$1"
}

# setting, module: found lists the modules that loading it brings along, itself first
claim_module() {
  has modprobe || return
  if [ -d "/sys/module/$2" ]; then claim "$1" loaded; return; fi
  found=$(modprobe --show-depends "$2") || return
  claim "$1" "$(printf '%s\n' "$found" | while read -r how path rest; do
    [ "$how" = insmod ] || continue
    m=$(basename "$path" | sed 's/\.ko.*//; y/-/_/'); [ -d "/sys/module/$m" ] || echo "$m"
  done | sed '1!G; h; $!d')"
}
restore_module() {
  release "$1" || return 0
  [ "$found" = loaded ] || for m in $(ls "/sys/module/$2/holders" 2>/dev/null) $found; do
    # a module that somebody uses now is theirs to unload
    [ "$(cat "/sys/module/$m/refcnt" 2>/dev/null)" != 0 ] || rmmod "$m" || return
  done
  forget "$1"
}
# module, parameter, value
put_parameter() {
  f=/sys/module/$1/parameters/$2
  [ -w "$f" ] || { echo "$1 is loaded already, and its parameter $2 can only be given when it is loaded" >&2; return 1; }
  printf '%s\n' "$3" >"$f"
}
`;
