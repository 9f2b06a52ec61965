# The main file of keepalived includes our files, one for each VRRP instance. Without a main file we write it.
V=$K/pulumi-lvs.d
# The unit file by which keepalived starts at boot after the restore, so that no VIP comes before its services.
O=$ROOT/etc/systemd/system/keepalived.service.d/pulumi-lvs.conf
main_vrrp="# Written by pulumi-lvs, and gone with its last VRRP instance.
global_defs {
	enable_script_security
	script_user root
}
include $V/*.conf"
order_vrrp="# Written by pulumi-lvs, and gone with its last VRRP instance.
[Unit]
After=pulumi-lvs.service"
# noted WORD: returns 0 if $E/vrrp has the word. note WORD: adds it. A word says what to undo with the last instance.
noted() { grep -qxF "$1" "$E/vrrp" 2>/dev/null; }
note() { noted "$1" || add_lines "$E" vrrp "$1"; }
# serve COMMAND: starts or reloads keepalived at once. A restore may wait for the lock, which we hold.
serve() { systemctl "$1" --job-mode=ignore-dependencies keepalived.service; }
# test_vrrp NAME: has keepalived check its configuration with the new file of the instance, which is not in place yet.
test_vrrp() {
  test=$(
    if [ -e "$K/keepalived.conf" ]; then cat "$K/keepalived.conf"; else printf '%s\n' "$main_vrrp"; fi |
      grep -vxF "include $V/*.conf"
    for f in "$V"/*.conf; do [ ! -e "$f" ] || [ "$f" = "$V/$1.conf" ] || printf '%s\n' "include $f"; done
    printf '%s\n' "include $V/$1.new"
  )
  put_text "$K/pulumi-lvs.test" "$test" || return
  keepalived -t -f "$K/pulumi-lvs.test"
  rc=$?
  rm -f "$K/pulumi-lvs.test"
  # The code of keepalived for scripts without script_security.
  [ $rc != 6 ] || {
    printf '%s\n' "$K/keepalived.conf does not let keepalived run scripts" >&2
    return "$NO_SCRIPTS"
  }
  return $rc
}
# is_ours: returns 0 if the main file of keepalived is ours as we wrote it, or gone since.
is_ours() { noted main && { [ ! -e "$K/keepalived.conf" ] || [ "$(cat "$K/keepalived.conf")" = "$main_vrrp" ]; }; }
# await_vrrp: sets $active to the state of keepalived, which may be about to start or stop.
await_vrrp() {
  rounds=20
  while :; do
    active=$(systemctl is-active keepalived.service)
    case $active in activating | deactivating) ;; *) return 0 ;; esac
    [ $rounds -gt 0 ] || return 0
    sleep "$ROUND_SECONDS"
    rounds=$((rounds - 1))
  done
}
# reload_vrrp: reloads keepalived if it runs.
reload_vrrp() { await_vrrp && obey_vrrp; }
# obey_vrrp: does so by $active. keepalived cannot be reloaded while it starts.
obey_vrrp() {
  case $active in
    active | reloading) serve reload ;;
    activating) serve restart ;;
  esac
}
# start_vrrp: starts keepalived with our files, now and at boot. Sets $began to the command that undoes this.
start_vrrp() {
  [ -e "$K/keepalived.conf" ] || { note main && put_text "$K/keepalived.conf" "$main_vrrp"; } || return
  # The first instance notes the former state. With a main file of an operator, keepalived runs on after the last one.
  if is_ours; then mine=note; else mine=:; fi
  first=$mine
  [ -e "$O" ] || {
    first=note
    mkdir -p "${O%/*}" && put_text "$O" "$order_vrrp" && systemctl daemon-reload
  } || return
  systemctl is-enabled -q keepalived.service ||
    { $first enabled && began=disable && systemctl enable -q keepalived.service; } || return
  await_vrrp
  case $active in
    active | reloading | activating) obey_vrrp || return ;;
    *) $mine started && began="$began stop" && serve start || return ;;
  esac
  # The file of its process number shows that keepalived does VRRP only.
  rounds=5
  until [ -e "$ROOT/run/vrrp.pid" ] || [ -e "$ROOT/run/keepalived/vrrp.pid" ] || [ $rounds = 0 ]; do
    sleep "$ROUND_SECONDS"
    rounds=$((rounds - 1))
  done
}
# fit_vrrp: returns 0 if keepalived can run with our files.
fit_vrrp() {
  has keepalived || return
  [ -d "$ROOT/run/systemd/system" ] || {
    echo 'no systemd runs there to run keepalived' >&2
    return "$NO_KEEPALIVED"
  }
  [ ! -e "$K/keepalived.conf" ] || includes_vrrp || {
    printf '%s\n' "$K/keepalived.conf does not include the files of pulumi-lvs" >&2
    return "$NOT_INCLUDED"
  }
  # It refuses a word of our files, and its firewall drops packets to the addresses of a master.
  ! configures "$K/keepalived.conf" vrrp_strict || {
    printf '%s\n' "$K/keepalived.conf has vrrp_strict, which does not let a master receive packets" >&2
    return "$VRRP_STRICT"
  }
}
# start_fits: returns 0 unless a start of keepalived would add virtual servers to the table.
start_fits() {
  case $(systemctl is-active keepalived.service) in active | reloading | activating) return 0 ;; esac
  ! configures "$K/keepalived.conf" 'virtual_server(_group)?' || {
    printf '%s\n' "keepalived does not run, and $K/keepalived.conf has virtual servers" >&2
    return "$VIRTUAL_SERVERS"
  }
}
# run_vrrp NAME: starts keepalived with the file that is there.
run_vrrp() { fit_vrrp && start_fits && start_vrrp; }
# put_vrrp NAME TEXT: writes the file of an instance once keepalived has checked it.
put_vrrp() {
  fit_vrrp && start_fits || return
  began=
  rm -f "$V/$1.old"
  mkdir -p "$V" && { [ ! -e "$V/$1.conf" ] || ln "$V/$1.conf" "$V/$1.old"; } && put_text "$V/$1.new" "$2" &&
    test_vrrp "$1" && mv "$V/$1.new" "$V/$1.conf" && start_vrrp || {
    give_up back_vrrp "$1"
    return
  }
  rm -f "$V/$1.old"
  sync "$V/$1.conf" "$K/keepalived.conf" 2>/dev/null
  :
}
# back_vrrp NAME: restores the former file of an instance, or removes the instance if there was none.
back_vrrp() {
  for verb in $began; do systemctl "$verb" -q keepalived.service; done
  rm -f "$V/$1.conf" "$V/$1.new"
  if [ -e "$V/$1.old" ]; then
    mv -f "$V/$1.old" "$V/$1.conf"
    reload_vrrp
  else drop_vrrp "$1"; fi
}
# held_vrrp FILE: prints the addresses of an instance that are on the host and in no other file of keepalived.
held_vrrp() {
  awk '$2 == "dev" { print $1, $3 }' "$1" 2>/dev/null | while read -r address device; do
    ! grep -qswF -e "${address%/*}" "$K/keepalived.conf" "$V"/*.conf || continue
    ! ip -o addr show dev "$device" to "${address%/*}" 2>/dev/null | grep -qF -e " $address " ||
      printf '%s\n' "$address on $device"
  done
}
# gone_vrrp FILE: waits until the host has no address of an instance. keepalived removes them later, and another
# resource may be about to add one of them.
gone_vrrp() {
  rounds=20
  while held=$(held_vrrp "$1") && [ -n "$held" ]; do
    [ $rounds -gt 0 ] || {
      printf '%s\n' "the host still has $held" >&2
      return "$ADDRESS_STAYS"
    }
    sleep "$ROUND_SECONDS"
    rounds=$((rounds - 1))
  done
}
# halt_vrrp: stops keepalived if we started it and it has our main file. Disables it if it was disabled before. If an
# operator has changed our main file, keepalived continues with it.
halt_vrrp() {
  off=
  { noted main && ! is_ours; } || ! noted enabled || ! systemctl is-enabled -q keepalived.service ||
    { systemctl disable -q keepalived.service && off=1; } || return
  if is_ours && noted started; then
    case $(systemctl is-active keepalived.service) in
      active | reloading | activating | deactivating) systemctl stop keepalived.service ;;
    esac
  else reload_vrrp; fi && return
  [ -z "$off" ] || give_up systemctl enable -q keepalived.service
}
# quit_vrrp NAME: reloads or stops keepalived without the instance, whose file has been moved away.
quit_vrrp() {
  last=1
  for f in "$V"/*.conf; do [ ! -e "$f" ] || last=; done
  if [ -n "$last" ]; then halt_vrrp; else reload_vrrp; fi && gone_vrrp "$V/$1.old"
}
# hold_vrrp NAME: keeps an instance a backup of last resort, until it is released or the host reboots. keepalived
# watches the file and adds its number to the priority, which is 1 at least.
hold_vrrp() { put_text "$S-hold-$1" -253; }
release_vrrp() { rm -f "$S-hold-$1"; }
# has_vrrp NAME: returns 0 if the host has an address of an instance.
has_vrrp() {
  [ -n "$(awk '$2 == "dev" { print $1, $3 }' "$V/$1.conf" | while read -r address device; do
    ip -o addr show dev "$device" to "${address%/*}" 2>/dev/null
  done)" ]
}
# yield_vrrp NAME: holds an instance. Before that -254 puts it into the state FAULT, so that a master loses its
# addresses also to a director that does not preempt.
yield_vrrp() {
  put_text "$S-hold-$1" -254 || return
  rounds=20
  while has_vrrp "$1" && [ $rounds -gt 0 ]; do
    sleep "$ROUND_SECONDS"
    rounds=$((rounds - 1))
  done
  hold_vrrp "$1"
}
# drop_vrrp NAME: removes an instance, and with the last one all that we did for keepalived. It does each step also if
# the file is gone, because keepalived may still run with it.
drop_vrrp() {
  rm -f "$V/$1.new"
  [ ! -e "$V/$1.conf" ] || mv -f "$V/$1.conf" "$V/$1.old" || return
  quit_vrrp "$1" || {
    rc=$?
    [ ! -e "$V/$1.old" ] || { mv -f "$V/$1.old" "$V/$1.conf" && reload_vrrp; } >/dev/null 2>&1
    return $rc
  }
  rm -f "$V/$1.old" "$S-hold-$1"
  [ -n "$last" ] || return 0
  # A main file that was changed by hand is the operator's now.
  ! is_ours || rm -f "$K/keepalived.conf"
  rm -f "$E/vrrp" "$K/pulumi-lvs.test"
  [ ! -e "$O" ] || {
    rm -f "$O"
    rmdir "${O%/*}" 2>/dev/null
    systemctl daemon-reload
  }
  rmdir "$V" "$E" 2>/dev/null
  :
}
