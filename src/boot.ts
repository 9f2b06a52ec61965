import { createHash } from "node:crypto";
import { prelude } from "./prelude.js";
import { quote } from "./quote.js";

/** The unit that has systemd bring things back at boot, and again after whatever else configures the network starts anew. */
const unit = `[Unit]
Description=What pulumi-lvs has declared on this host
ConditionPathExists=/etc/pulumi-lvs/boot
Wants=network-online.target
After=network-online.target systemd-modules-load.service systemd-sysctl.service
After=systemd-networkd.service NetworkManager.service networking.service
PartOf=systemd-networkd.service NetworkManager.service networking.service

[Service]
Type=oneshot
RemainAfterExit=yes
KillMode=process
TimeoutStartSec=infinity
ExecStart=/bin/sh /etc/pulumi-lvs/restore

[Install]
WantedBy=multi-user.target
`;

/** What the restore file does after the functions that it has from the prelude. */
const restore = String.raw`
LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
umask 022
tab=$(printf '\t')
from=00
if [ -e "$S/restored" ]; then
  # just installed, by a run that has made everything itself
  if [ -s "$S/restored" ]; then : >"$S/restored"; exit 0; fi
  # in the same boot, only what others who set up the network may have taken away is brought back
  from=80
fi
locked() {
  exec 9</root; tries=600
  until flock -x -n 9 || [ $tries -le 0 ]; do tries=$((tries - 1)); sleep 0.2; done
  [ $tries -gt 0 ] && [ -e "$E/boot" ]
}
unlocked() { exec 9<&-; }
# whose it is, as the host keeps it; settings carry claims of their own
own() { [ "$nature" = setting ] || grep -qxF -e "$owner $thing" "$S/owners" 2>/dev/null || mark "$owner $thing"; }
# what is there already need not be made
run() {
  out=$(eval "$commands" 2>&1 9<&-) && return
  case $out in *exists*|*'already assigned'*|*'already run'*) return 0;; esac
  why="$thing: $out"; return 1
}
# rank: whether all of it is there now
bring() {
  all=0 bulk=
  rules=$(sed -n "s/^$1$tab[^$tab]*$tab[^$tab]*$tab[^$tab]*$tab""ipvsadm \(-[Aa] \)/\1/p" "$E/boot")
  # one process for all of them; where it has anything to say, each goes by itself
  [ -z "$rules" ] || [ -n "$(printf '%s\n' "$rules" | ipvsadm -R 2>&1 9<&-)" ] || bulk=done
  while IFS=$tab read -r rank nature thing owner commands <&8; do
    [ "$rank" = "$1" ] || continue
    own || all=1
    case "$bulk $commands" in 'done ipvsadm -A '*|'done ipvsadm -a '*) ;; *) run || all=1;; esac
  done 8<"$E/boot"
  return $all
}
# of a thing with two records the second is one that never came about
once() {
  locked || return
  first=$(awk -F "$tab" '!seen[$2 == "setting" ? $3 FS $4 : $3]++' "$E/boot") &&
    [ "$first" = "$(cat "$E/boot")" ] || put_lines "$E" "$E/boot" "$first"
  unlocked
}
ranks() { cut -f1 "$E/boot" | sort -u; }
failed=0 judged=
[ "$from" = 80 ] || once
for r in $(ranks); do
  [ "$r" -ge "$from" ] || continue
  left=10
  if [ "$r" -ge 80 ]; then
    # interfaces come when they come; and servers that are dead are out before anybody is let in
    left=90
    [ -n "$judged" ] || [ "$from" = 80 ] || [ ! -e "$E/monitor" ] || sh "$E/monitor" once
    judged=1
  fi
  until locked && bring "$r"; do
    unlocked
    [ -e "$E/boot" ] || break
    [ $left -gt 0 ] || { failed=1; echo "pulumi-lvs: this could not be brought back: $why" >&2; break; }
    left=$((left - 1)); sleep 1
  done
  unlocked
done
[ ! -e "$E/boot" ] || : >"$S/restored"
# networkd and its like take away addresses that they do not know while they set up their own
(
  left=15
  while [ $left -gt 0 ] && sleep 1 && locked; do
    for r in $(ranks); do [ "$r" -lt 80 ] || bring "$r"; done
    unlocked
    left=$((left - 1))
  done
) >/dev/null 2>&1 &
exit $failed
`;

const version = createHash("sha256").update(prelude).update(restore).update(unit).digest("hex").slice(0, 12);

/**
 * Shell functions of scripts that declare things: a line for each in /etc/pulumi-lvs/boot, which a unit of ours brings back
 * at boot, or in /run/pulumi-lvs/boot, where it is only declared until then. `$prelude` is the text of the prelude.
 */
export const bootFunctions = String.raw`
U=/etc/systemd/system/pulumi-lvs.service
version='# pulumi-lvs ${version}'
restore=${quote(restore)}
unit=${quote(unit)}
put_text() { { printf '%s\n' "$2" >"$1.new"; } 2>/dev/null && mv "$1.new" "$1" || { rm -f "$1.new"; full "$1"; }; }
install_boot() {
  { IFS= read -r line <"$E/restore"; } 2>/dev/null && [ "$line" = "$version" ] && [ -e "$W" ] && return
  [ -d /run/systemd/system ] || { echo 'no systemd runs there, which would bring it back after a reboot' >&2; return 4; }
  known=; [ ! -e "$U" ] || known=1
  mkdir -p "$E" "$S" /etc/systemd/system/multi-user.target.wants &&
    put_text "$E/restore" "$version
# Written by pulumi-lvs, and gone with the last of what stacks have declared here: brings back /etc/pulumi-lvs/boot.
$prelude$restore" && put_text "$U" "$unit" && ln -sf "$U" "$W" || { uninstall_boot; return 1; }
  sync "$E/restore" "$U" 2>/dev/null
  put_text "$S/restored" new || { uninstall_boot; return 1; }
  [ -z "$known" ] || systemctl daemon-reload
  # from now on it hears when others who set up the network start anew
  systemctl start --no-block pulumi-lvs.service || { uninstall_boot; return 1; }
}
uninstall_boot() {
  [ ! -e "$E/boot" ] || return 0
  [ ! -e "$U" ] || systemctl stop pulumi-lvs.service
  rm -f "$W" "$U" "$E/restore" "$S/restored"
  rmdir "$E" 2>/dev/null; leave "$S"
}
keep() {
  install_boot || return
  add_lines "$E" boot "$@" || { uninstall_boot; return 1; }
}
unkeep() { cut_lines "$E" boot "$@" && uninstall_boot; }
note() { add_lines "$S" boot "$@"; }
unnote() { cut_lines "$S" boot "$@"; }
# what a crash of the machine must not take
safe() { [ ! -e "$E/boot" ] || sync "$E/boot" "$E" 2>/dev/null; }
`;
