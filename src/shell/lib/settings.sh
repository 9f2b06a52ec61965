no_room() {
  rmdir "$S/$1" "$S" 2>/dev/null
  full "$S"
}
claim() {
  mkdir -p "$S/$1" || return
  if [ ! -e "$S/$1/found" ]; then
    write_text "$S/$1/new" "$2" && mv "$S/$1/new" "$S/$1/found" || {
      rm -f "$S/$1/new"
      no_room "$1"
      return
    }
  fi
  grep -qxF -e "$owner" "$S/$1/owners" 2>/dev/null ||
    append_lines "$S/$1/owners" "$owner" || no_room "$1"
}
# release RECORD: removes the caller from the owners. Returns 0 if it was the last one: then $found is the value to
# restore, and forget ends the record. Returns 1 if other owners remain, or there was none.
release() {
  [ -s "$S/$1/owners" ] || return 1
  rest=$(grep -vxF -e "$owner" "$S/$1/owners")
  [ $? -le 1 ] || return 2
  if [ -z "$rest" ]; then
    found=$(cat "$S/$1/found")
    return
  fi
  write_text "$S/$1/new" "$rest" && mv "$S/$1/new" "$S/$1/owners" && return 1
  rm -f "$S/$1/new"
  no_room "$1"
  return 2
}
forget() { rm -rf "${S:?}/$1" && leave "$S"; }

# claim_file RECORD FILE: claims the setting and saves its value.
claim_file() {
  [ -e "$ROOT$2" ] || {
    printf '%s\n' "$2: there is no such setting" >&2
    return 4
  }
  claim "$1" "$(cat "$ROOT$2")"
}
# put_file FILE VALUE: writes the value. Returns 4 if the file or the kernel refuses it.
put_file() {
  [ -w "$ROOT$1" ] || {
    printf '%s\n' "$1 cannot be changed (a module's parameter may be one that counts only while it is loaded)" >&2
    return 4
  }
  { printf '%s\n' "$2" >"$ROOT$1"; } 2>/dev/null || {
    printf '%s\n' "$1: the kernel refuses $2" >&2
    return 4
  }
}
restore_file() {
  release "$1"
  case $? in 1) return 0 ;; 2) return "$NO_ROOM" ;; esac
  [ ! -e "$ROOT$2" ] || [ "$(cat "$ROOT$2")" = "$found" ] || put_file "$2" "$found" || return
  forget "$1"
}
# claim_dragged RECORD PATTERNS: claims the files that change along with another setting. Saves a line FILE:VALUE for
# each. Blanks separate the patterns.
claim_dragged() {
  record=$1
  set -f
  set -- $2
  set +f
  for pattern; do
    shift
    set -- "$@" "$ROOT"$pattern
  done
  claim "$record" "$(grep -sH . "$@")"
}
restore_dragged() {
  release "$1"
  case $? in 1) return 0 ;; 2) return "$NO_ROOM" ;; esac
  printf '%s\n' "$found" | while IFS=: read -r f value; do
    f=${f#"$ROOT"}
    [ ! -w "$ROOT$f" ] || [ "$(cat "$ROOT$f")" = "$value" ] || put_file "$f" "$value" || return
  done || return
  forget "$1"
}
# retake_file RECORD FILE VALUE: undoes restore_file.
retake_file() { claim_file "$1" "$2" && put_file "$2" "$3"; }

# claim_timeouts RECORD: claims the IPVS timeouts. Reading them loads ip_vs if it is missing, as setting them would.
claim_timeouts() {
  has ipvsadm && out=$(ipvsadm -Ln --timeout) && claim "$1" "$(printf '%s\n' "$out" | sed 's/.*: //')"
}
restore_timeouts() {
  release "$1"
  case $? in 1) return 0 ;; 2) return "$NO_ROOM" ;; esac
  [ ! -e "$ROOT/proc/net/ip_vs" ] || ipvsadm --set $found || return
  forget "$1"
}
# retake_timeouts RECORD TCP TCPFIN UDP: undoes restore_timeouts.
retake_timeouts() { claim_timeouts "$1" && shift && ipvsadm --set "$@"; }

# claim_module RECORD MODULE: claims the module. Saves the modules that loading it loads too, itself first.
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
restore_module() {
  release "$1"
  case $? in 1) return 0 ;; 2) return "$NO_ROOM" ;; esac
  [ "$found" = loaded ] || for m in $(ls "$ROOT/sys/module/$2/holders" 2>/dev/null) $found; do
    # A module that is in use belongs to its user now.
    [ "$(cat "$ROOT/sys/module/$m/refcnt" 2>/dev/null)" != 0 ] || rmmod "$m" || return
  done
  forget "$1"
}
# retake_module RECORD MODULE OPTION...: undoes restore_module.
retake_module() { claim_module "$1" "$2" && shift && modprobe "$@"; }
