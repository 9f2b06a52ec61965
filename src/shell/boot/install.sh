D=$ROOT/etc/systemd/system U=$ROOT/etc/systemd/system/pulumi-lvs.service
put_text() {
  write_text "$1.new" "$2" && mv "$1.new" "$1" || {
    rm -f "$1.new"
    full "$1"
  }
}
# give_up COMMAND...: undoes what was begun by that command, and returns the code of what failed before.
give_up() {
  rc=$?
  "$@"
  return $rc
}
put_boot() {
  begin=
  { IFS= read -r line <"$E/restore"; } 2>/dev/null && [ "$line" = "$version" ] && [ -e "$W" ] && return
  [ -d "$ROOT/run/systemd/system" ] || {
    echo 'no systemd runs there to restore it after a reboot' >&2
    return "$NO_BOOT"
  }
  begin=start
  # Without records this installation is new: the restore has nothing to bring back.
  [ -e "$E/boot" ] || {
    begin=restart
    [ -e "$U" ] || begin=new
  }
  mkdir -p "$E" "$S" &&
    put_text "$E/restore" "$version
# Written by pulumi-lvs, and gone with the last of what stacks have declared here: brings back /etc/pulumi-lvs/boot.
$prelude$restore" && put_text "$U" "$unit" && link_boot || {
    give_up uninstall_boot
    return
  }
  [ -e "$E/boot" ] || write_text "$S/restored" new || {
    full "$S/restored"
    give_up uninstall_boot
    return
  }
}
# begin_boot: starts the unit, so that systemd restarts it together with the network services.
begin_boot() {
  [ -n "$begin" ] || return 0
  if [ "$begin" = new ]; then
    begin=restart
    # systemd reads a unit that it does not know when it starts it. The unit has it read the links when it stops.
    ! systemctl restart --no-block pulumi-lvs.service 2>/dev/null || return 0
  fi
  systemctl daemon-reload
  systemctl $begin --no-block pulumi-lvs.service
}
# forget_unit: has systemd forget the links to the unit, if it has read them. That may take seconds, so it happens in
# the background.
forget_unit() {
  (
    systemctl reset-failed pulumi-lvs.service
    [ -z "$(systemctl show -p WantedBy --value pulumi-lvs.service)" ] || exec systemctl daemon-reload
  ) >/dev/null 2>&1 9<&- &
}
install_boot() { put_boot && begin_boot; }
link_boot() {
  set --
  for u in $starters; do set -- "$@" "$D/$u.wants"; done
  mkdir -p "$@" || return
  for u; do ln -sf "$U" "$u/pulumi-lvs.service" || return; done
}
uninstall_boot() {
  [ ! -e "$E/boot" ] || return 0
  had=
  [ ! -e "$U" ] || {
    had=1
    systemctl stop pulumi-lvs.service
  }
  set -- "$U" "$E/restore" "$S/restored" "$S/restored.new" "$S/restored.end"
  for u in $starters; do set -- "$@" "$D/$u.wants/pulumi-lvs.service"; done
  rm -f "$@"
  set -- "$E"
  for u in $networks; do set -- "$@" "$D/$u.wants"; done
  rmdir "$@" 2>/dev/null
  [ -z "$had" ] || forget_unit
  leave "$S"
}
# record LIFETIME LINE...: writes lines into the ledger of this lifetime: persistent or untilReboot.
record() {
  lifetime=$1
  shift
  [ "$lifetime" = persistent ] || {
    add_lines "$S" boot "$@"
    return
  }
  put_boot || return
  add_lines "$E" boot "$@" || {
    give_up uninstall_boot
    return
  }
  # The records come first: systemd does not start the unit without them.
  begin_boot || give_up erase persistent "$@"
}
# erase LIFETIME LINE...: removes lines from the ledger of this lifetime.
erase() {
  lifetime=$1
  shift
  if [ "$lifetime" = persistent ]; then cut_lines "$E" boot "$@" && uninstall_boot; else cut_lines "$S" boot "$@"; fi
}
# record_again LIFETIME LINE...: undoes an erase. One of a bulk that failed has not run: its lines are still there.
record_again() {
  d=$S
  [ "$1" != persistent ] || d=$E
  lifetime=$1
  shift
  cut_lines "$d" boot "$@" && record "$lifetime" "$@"
}
# take_over: removes the files of owners of an older version. The ledger has the same owners.
take_over() {
  for f in "$S/owners" "$S"/*/owners; do [ ! -e "$f" ] || rm -f "$f"; done
}
# safe: writes the records, and what restores them, to disk, so that they survive a crash of the machine.
safe() { [ ! -e "$E/boot" ] || sync "$E/boot" "$E/restore" "$U" "$E" 2>/dev/null; }
