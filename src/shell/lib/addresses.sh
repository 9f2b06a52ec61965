# real_name INTERFACE: sets $real to the kernel's name of an interface, which may be given by an alternative name.
real_name() {
  real=$1
  [ -e "$ROOT/sys/class/net/$1" ] && return
  shown=$(ip -o link show dev "$1" 2>/dev/null) || return 0
  shown=${shown#*: } real=${shown%%: *}
  real=${real%%@*}
}

# interface_hint FILE: prints what to write instead, if a setting is missing because of its interface's name.
interface_hint() {
  case $1 in */net/ipv[46]/conf/*/* | */net/ipv[46]/neigh/*/*) ;; *) return ;; esac
  name=${1%/*} name=${name##*/}
  [ ! -e "$ROOT/sys/class/net/$name" ] || return
  real_name "$name"
  if [ "$real" = "$name" ]; then
    printf '; it has no interface %s, but %s' "$name" "$(cd "$ROOT/sys/class/net" && printf '%s ' *)"
  else printf '; write %s, because settings do not know its other name %s' "$real" "$name"; fi
}

# drop_address INTERFACE ADDRESS: deletes the address and keeps the later ones of its network. By default the kernel
# deletes those together with a primary address.
drop_address() {
  real_name "$1"
  p=$ROOT/proc/sys/net/ipv4/conf/$real/promote_secondaries old=
  [ ! -w "$p" ] || {
    old=$(cat "$p")
    echo 1 >"$p"
  }
  ip addr del "$2" dev "$1"
  rc=$?
  [ -z "$old" ] || printf '%s\n' "$old" >"$p"
  return $rc
}

# read_link INTERFACE FILE: sets $value to the kernel's value of an interface.
read_link() { read -r value 2>/dev/null <"$ROOT/sys/class/net/$1/$2"; }

# announce INTERFACE ADDRESS: announces it, once before it returns and four times in the background, because a packet
# may be lost. Does nothing on a loopback (flag 8) or an interface without ARP (flag 128), such as a dummy.
announce() {
  real_name "$1"
  ! read_link "$real" flags || [ $((value & 136)) = 0 ] || return 0
  send_arp "$real" "$2" -U || return
  # Stops if the address has been removed.
  (
    # Uses requests (-U) and replies (-A), because some hosts accept only one form.
    for form in -A -U -A -U; do
      # arping itself waits a second at each call.
      case $2 in *:*) sleep "$ROUND_SECONDS" ;; esac
      ip -o addr show dev "$real" 2>/dev/null | grep -qF " $2/" || exit
      send_arp "$real" "$2" "$form"
    done
  ) >/dev/null 2>&1 9<&- &
}
# send_arp INTERFACE ADDRESS FORM: sends one gratuitous ARP, or one unsolicited neighbour advertisement.
send_arp() {
  case $2 in
    *:*) advertise "$1" "$2" ;;
    *) arping -q "$3" -c 1 -I "$1" "$2" ;;
  esac
}
# advertise INTERFACE ADDRESS: sends an unsolicited neighbour advertisement to all nodes of the link (RFC 4861, 7.2.6).
# No common tool does so. A raw socket of perl or python3 needs no package on most distributions.
advertise() {
  address=$2 mac=
  # Neighbours override what they know (0x20). A router says that it is one (0x80).
  bits=32
  ! read -r value 2>/dev/null <"$ROOT/proc/sys/net/ipv6/conf/$1/forwarding" || [ "$value" = 0 ] || bits=160
  ! read_link "$1" address || mac=$value
  read_link "$1" ifindex || value=
  case $value/$mac in
    *[0-9]/??:??:??:??:??:??) ;;
    *)
      printf '%s\n' "$1 has no Ethernet address" >&2
      return "$NO_ADVERTISER"
      ;;
  esac
  set -- "$1" "$address" "$value" "$(printf '%s\n' "$mac" | tr -d :)" "$bits"
  if command -v perl >/dev/null; then
    perl -e "$advertise_pl" "$@"
    return
  fi
  for python in python3 "$ROOT/usr/libexec/platform-python"; do
    command -v "$python" >/dev/null || continue
    "$python" -c "$advertise_py" "$@"
    return
  done
  printf '%s\n' 'no program there can send a neighbour advertisement' >&2
  return "$NO_ADVERTISER"
}
