# A setting always exists, and records of several owners may claim it. The value before the first claim is in
# S/CLAIM/found.

# claim CLAIM VALUE: saves the value, unless one is saved already.
claim() {
  [ ! -e "$S/$1/found" ] || return 0
  mkdir -p "$S/$1" || return
  write_text "$S/$1/new" "$2" && mv "$S/$1/new" "$S/$1/found" && return
  rm -f "$S/$1/new"
  rmdir "$S/$1" "$S" 2>/dev/null
  full "$S"
}
# release CLAIM: returns 0 if no other owner claims the setting. Then $found is the value to restore, and forget ends
# the claim. Otherwise sets $held to the code to return: 0 if another owner claims it, or if no value is saved.
release() {
  claim=$1 held=0
  [ -e "$S/$claim/found" ] || return 1
  set -- /dev/null
  for f in "$E/boot" "$S/boot"; do [ ! -e "$f" ] || set -- "$@" "$f"; done
  claim=$claim owner=$owner awk -v SETTING_CLAIMED="$SETTING_CLAIMED" "$claims" "$@"
  held=$?
  case $held in
    0) found=$(cat "$S/$claim/found") ;;
    "$SETTING_CLAIMED")
      held=0
      return 1
      ;;
    *) return 1 ;;
  esac
}
forget() { rm -rf "${S:?}/$1" && leave "$S"; }

# claim_file CLAIM FILE: claims the setting and saves its value. Returns NO_SETTING if the host does not have it.
claim_file() {
  [ -e "$ROOT$2" ] || {
    printf '%s\n' "$2: there is no such setting$(interface_hint "$2")" >&2
    return "$NO_SETTING"
  }
  claim "$1" "$(cat "$ROOT$2")"
}
# put_file FILE VALUE: writes the value. Returns NOT_WRITABLE if the file or the kernel refuses it.
put_file() {
  [ -w "$ROOT$1" ] || {
    printf '%s\n' "$1 cannot be changed (a module's parameter may be one that counts only while it is loaded)" >&2
    return "$NOT_WRITABLE"
  }
  { printf '%s\n' "$2" >"$ROOT$1"; } 2>/dev/null || {
    printf '%s\n' "$1: the kernel refuses $2" >&2
    return "$NOT_WRITABLE"
  }
}
restore_file() {
  release "$1" || return "$held"
  [ ! -e "$ROOT$2" ] || [ "$(cat "$ROOT$2")" = "$found" ] || put_file "$2" "$found" || return
  forget "$1"
}
# claim_dragged CLAIM PATTERNS: claims the files that change along with another setting. Saves a line FILE:VALUE for
# each. Blanks separate the patterns.
claim_dragged() {
  claim=$1
  set -f
  set -- $2
  set +f
  for pattern; do
    shift
    set -- "$@" "$ROOT"$pattern
  done
  claim "$claim" "$(grep -sH . "$@")"
}
restore_dragged() {
  release "$1" || return "$held"
  printf '%s\n' "$found" | while IFS=: read -r f value; do
    f=${f#"$ROOT"}
    [ ! -w "$ROOT$f" ] || [ "$(cat "$ROOT$f")" = "$value" ] || put_file "$f" "$value" || return
  done || return
  forget "$1"
}
# retake_file CLAIM FILE VALUE: undoes restore_file.
retake_file() { claim_file "$1" "$2" && put_file "$2" "$3"; }

# claim_timeouts CLAIM: claims the IPVS timeouts. Reading them loads ip_vs if it is missing, as setting them would.
claim_timeouts() {
  has ipvsadm && out=$(ipvsadm -Ln --timeout) && claim "$1" "$(printf '%s\n' "$out" | sed 's/.*: //')"
}
restore_timeouts() {
  release "$1" || return "$held"
  [ ! -e "$ROOT/proc/net/ip_vs" ] || ipvsadm --set $found || return
  forget "$1"
}
# retake_timeouts CLAIM TCP TCPFIN UDP: undoes restore_timeouts.
retake_timeouts() { claim_timeouts "$1" && shift && ipvsadm --set "$@"; }

# claim_module CLAIM MODULE: claims the module. Saves the modules that loading it loads too, itself first.
claim_module() {
  has modprobe || return
  if [ -d "$ROOT/sys/module/$2" ]; then
    claim "$1" loaded
    return
  fi
  found=$(modprobe --show-depends "$2") || return
  claim "$1" "$(printf '%s\n' "$found" | while read -r how path rest; do
    [ "$how" = insmod ] || continue
    m=$(basename "$path" | sed 's/\.ko.*//; y/-/_/')
    [ -d "$ROOT/sys/module/$m" ] || printf '%s\n' "$m"
  done | sed '1!G; h; $!d')"
}
# is_used MODULE: returns 0 if the kernel or another module uses the module, or if it is not there.
is_used() {
  [ "$(cat "$ROOT/sys/module/$1/refcnt" 2>/dev/null)" != 0 ] || [ -n "$(ls "$ROOT/sys/module/$1/holders" 2>/dev/null)" ]
}
restore_module() {
  release "$1" || return "$held"
  [ "$found" = loaded ] || for m in $(ls "$ROOT/sys/module/$2/holders" 2>/dev/null) $found; do
    # A module that is in use belongs to its user now. That may change until rmmod looks.
    is_used "$m" || rmmod "$m" || is_used "$m" || return
  done
  forget "$1"
}
# retake_module CLAIM MODULE OPTION...: undoes restore_module.
retake_module() { claim_module "$1" "$2" && shift && modprobe "$@"; }
