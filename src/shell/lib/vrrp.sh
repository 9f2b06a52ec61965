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
# noted WORD, note WORD: what we did besides the files of instances, and undo with the last of them.
noted() { grep -qxF "$1" "$E/vrrp" 2>/dev/null; }
note() { noted "$1" || add_lines "$E" vrrp "$1"; }
# serve COMMAND: has systemd start or reload keepalived at once. A restore may wait for the lock, which we hold.
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
# start_vrrp: has keepalived run by the files, now and after a reboot.
start_vrrp() {
  [ -e "$K/keepalived.conf" ] || { note main && put_text "$K/keepalived.conf" "$main_vrrp"; } || return
  [ -e "$O" ] || { mkdir -p "${O%/*}" && put_text "$O" "$order_vrrp" && systemctl daemon-reload; } || return
  systemctl is-enabled -q keepalived.service ||
    { note enabled && systemctl enable -q keepalived.service; } || return
  case $(systemctl is-active keepalived.service) in
    active | reloading) serve reload || return ;;
    activating) ;;
    *) note started && serve start || return ;;
  esac
  # The file of its process number tells that keepalived does VRRP only.
  rounds=5
  until [ -e "$ROOT/run/vrrp.pid" ] || [ -e "$ROOT/run/keepalived/vrrp.pid" ] || [ $rounds = 0 ]; do
    sleep "$ROUND_SECONDS"
    rounds=$((rounds - 1))
  done
}
# fit_vrrp: returns 0 if keepalived can run by our files there.
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
}
# run_vrrp NAME: has keepalived run by the file that is there.
run_vrrp() { fit_vrrp && start_vrrp; }
# put_vrrp NAME TEXT: writes the file of an instance once keepalived has checked it.
put_vrrp() {
  fit_vrrp || return
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
# back_vrrp NAME: brings back the former file of an instance.
back_vrrp() {
  if [ -e "$V/$1.old" ]; then
    mv -f "$V/$1.old" "$V/$1.conf"
    rm -f "$V/$1.new" "$V/$1.old"
    reload_vrrp
  else drop_vrrp "$1"; fi
}
reload_vrrp() { [ "$(systemctl is-active keepalived.service)" != active ] || serve reload; }
# drop_vrrp NAME: removes the file of an instance. With the last one goes all that we did besides.
drop_vrrp() {
  held=$(awk '$2 == "dev" { print " " $1 " " }' "$V/$1.conf" 2>/dev/null)
  rm -f "$V/$1.conf" "$V/$1.new" "$V/$1.old"
  for f in "$V"/*.conf; do
    [ ! -e "$f" ] || {
      reload_vrrp || return
      # keepalived obeys later. Another resource may be about to add one of the addresses.
      rounds=5
      while [ $rounds -gt 0 ] && [ -n "$held" ] && ip -o addr show | grep -qF -e "$held"; do
        sleep "$ROUND_SECONDS"
        rounds=$((rounds - 1))
      done
      return 0
    }
  done
  # A main file that was changed by hand is the operator's now, and keepalived goes on by it.
  [ ! -e "$K/keepalived.conf" ] || ! noted main || [ "$(cat "$K/keepalived.conf")" = "$main_vrrp" ] || rm -f "$E/vrrp"
  if noted started; then systemctl stop keepalived.service; else reload_vrrp; fi || return
  ! noted enabled || systemctl disable -q keepalived.service || return
  ! noted main || rm -f "$K/keepalived.conf"
  rm -f "$E/vrrp" "$K/pulumi-lvs.test"
  [ ! -e "$O" ] || {
    rm -f "$O"
    rmdir "${O%/*}" 2>/dev/null
    systemctl daemon-reload
  }
  rmdir "$V" "$E" 2>/dev/null
  :
}
