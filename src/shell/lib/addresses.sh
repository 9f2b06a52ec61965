# drop_address INTERFACE ADDRESS: by default the kernel deletes, with a primary address, every later one of its
# network
drop_address() {
  p=/proc/sys/net/ipv4/conf/$1/promote_secondaries old=
  [ ! -w "$p" ] || {
    old=$(cat "$p")
    echo 1 >"$p"
  }
  ip addr del "$2" dev "$1"
  rc=$?
  [ -z "$old" ] || printf '%s\n' "$old" >"$p"
  return $rc
}

# announce INTERFACE ADDRESS: tells the neighbours. Twice, since it may be lost, and in both forms, since some heed
# only one
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
