# drop_address INTERFACE ADDRESS: deletes the address and keeps the later ones of its network. By default the kernel
# deletes those together with a primary address.
drop_address() {
  p=$ROOT/proc/sys/net/ipv4/conf/$1/promote_secondaries old=
  [ ! -w "$p" ] || {
    old=$(cat "$p")
    echo 1 >"$p"
  }
  ip addr del "$2" dev "$1"
  rc=$?
  [ -z "$old" ] || printf '%s\n' "$old" >"$p"
  return $rc
}

# announce INTERFACE ADDRESS: sends gratuitous ARP, once before it returns and four times in the background, because a
# packet may be lost. Uses requests (-U) and replies (-A), because some hosts accept only one form.
announce() {
  # A restore after a reboot has no list of interfaces. 0x80 is IFF_NOARP: no ARP, and no neighbours.
  flags=0
  [ ! -r "$ROOT/sys/class/net/$1/flags" ] || read -r flags <"$ROOT/sys/class/net/$1/flags"
  [ $((flags & 0x80)) -eq 0 ] || return 0
  arping -q -U -c 1 -I "$1" "$2" || return
  # Stops if the address has been removed.
  (
    # arping itself waits a second at each call.
    for form in -A -U -A -U; do
      ip -o addr show dev "$1" 2>/dev/null | grep -qF " $2/" || exit
      arping -q $form -c 1 -I "$1" "$2"
    done
  ) >/dev/null 2>&1 9<&- &
}
