owner='pulumi-lvs health monitor'
# read_vip_path NUMBER SPEC: reads the VIP path of a check and changes nothing. Sets vipless to the reason if there is
# none.
read_vip_path() {
  mark=$((1280704512 + $1)) low=$((61000 + $1 * 64))
  ports=$low-$((low + 63)) vipless= way= dip= device=
  case $2 in *"$tab"through=vip*) ;; *) return 0 ;; esac
  parse "$2"
  case $vip in *:*)
    vipless='through the VIP is for IPv4'
    return
    ;;
  esac
  [ $((low + 63)) -le 65535 ] || {
    vipless='there are no ports left for checks through the VIP (69 at most, with all other checks of this director)'
    return
  }
  route=$(ip -o route get "$address" 2>&1) || {
    vipless="ip route get $address: $route"
    return
  }
  dip=${route#* src } dip=${dip%% *} device=${route#* dev } device=${device%% *}
  [ "$dip" != "$vip" ] || {
    vipless="the director has no other address than the VIP towards $address"
    return
  }
  # With a strict filter the kernel accepts the VIP as source only on the interface that has the VIP.
  [ "$(strictest rp_filter)" != 1 ] || ip -o addr show dev "$device" | grep -qF " $vip/" ||
    {
      vipless="rp_filter is 1 on $device, which does not have the VIP: it would drop the answers"
      return
    }
  if [ -e "$S/checks/$1.through" ]; then
    way=open
    return
  fi
  way=shut vipless=$(cat "$S/checks/$1.not" 2>/dev/null) || vipless='it is not set up yet'
}
# strictest NAME: prints the greater value of all interfaces and of this one, which is the one that counts.
strictest() {
  highest=0
  for of in all "$device"; do
    v=0
    read -r v <"$ROOT/proc/sys/net/ipv4/conf/$of/$1"
    case $v in [1-9]) [ "$v" -le $highest ] || highest=$v ;; esac
  done 2>/dev/null
  printf '%s\n' "$highest"
}
sysctl_of() { setting=sysctl.net.ipv4.conf.$device.accept_local file=/proc/sys/net/ipv4/conf/$device/accept_local; }
# open_vip_path NUMBER SPEC: sets the VIP path up. The caller holds the lock.
open_vip_path() {
  read_vip_path "$1" "$2"
  [ "$way" != open ] || [ "$(cat "$S/checks/$1.through")" = "$mark $low $dip $vip $port $device" ] || {
    close_vip_path "$1"
    read_vip_path "$1" "$2"
  }
  [ -n "$way" ] || return 0
  why=$(build "$1" 2>&1) && rm -f "$S/checks/$1.not" || {
    printf '%s\n' "$why" >"$S/checks/$1.not"
    close_vip_path "$1"
  }
}
rule() {
  iptables -w 5 -t mangle "$1" OUTPUT -p tcp -s "$dip" -d "$vip" --sport "$low:${ports#*-}" --dport "$port" \
    -j MARK --set-mark "$mark"
}
build() {
  has iptables && has ipvsadm || return
  printf '%s\n' "$mark $low $dip $vip $port $device" >"$S/checks/$1.through" || return
  sysctl_of
  { rule -C 2>/dev/null || rule -A; } && claim_file "$setting" "$file" && put_file "$file" 1 &&
    { ipvsadm -A -f "$mark" -s rr 2>/dev/null || read_ipvs | grep -q -- "^-A -f $mark "; } &&
    { ipvsadm -a -f "$mark" -r "$address:0" -g 2>/dev/null || read_ipvs | grep -q -- "^-a -f $mark "; }
}
# is_intact TABLE: returns 0 if all parts of an open path exist.
is_intact() {
  case $nl$1 in *"$nl-A -f $mark "*"$nl-a -f $mark -r $address:0 "*) ;; *) return 1 ;; esac
  [ "$(strictest accept_local)" = 1 ] && rule -C 2>/dev/null
}
# read_opened NUMBER: sets variables for what was added. Returns 1 if the agent did not write the file.
read_opened() {
  read -r mark low dip vip port device <"$S/checks/$1.through"
  is_number "$mark" && is_number "$low" && is_number "$port" || return
  case $dip.$vip in *[!0-9.]*) return 1 ;; esac
  case $device in '' | .* | *[!A-Za-z0-9@:._-]*) return 1 ;; esac
  ports=$low-$((low + 63))
}
# close_vip_path NUMBER: removes the path, and restores the setting with the last path that needs it. The caller holds
# the lock.
close_vip_path() {
  [ -e "$S/checks/$1.through" ] || return 0
  read_opened "$1" || {
    rm -f "$S/checks/$1.through"
    return
  }
  rm -f "$S/checks/$1.through"
  while rule -D 2>/dev/null; do :; done
  # Removes the chains that iptables keeps of an empty table.
  iptables -w 5 -t mangle -S 2>/dev/null | grep -qv '^-P [A-Z]* ACCEPT$' ||
    for c in PREROUTING INPUT FORWARD OUTPUT POSTROUTING; do iptables -w 5 -t mangle -X "$c" 2>/dev/null; done
  ipvsadm -D -f "$mark" 2>/dev/null
  grep -q " $device$" "$S/checks"/*.through 2>/dev/null || {
    sysctl_of
    restore_file "$setting" "$file"
  }
}
# mend_vip_paths: sets up each path that failed or that another program has flushed.
mend_vip_paths() {
  case $list in *"$tab"through=vip*) ;; *) return 0 ;; esac
  for f in "$S/checks"/*[0-9]; do
    [ -e "$f" ] && read_spec "$f" || continue
    case $spec in *"$tab"through=vip*) ;; *) continue ;; esac
    read_vip_path "${f##*/}" "$spec"
    case $way in open) ! is_intact "$table" || continue ;; '') continue ;; esac
    has iptables && has ipvsadm || continue
    locked || return 0
    wish=$spec
    open_vip_path "${f##*/}" "$wish"
    unlocked
  done 2>/dev/null
}
