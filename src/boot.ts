import { createHash } from "node:crypto";
import { prelude } from "./prelude.js";
import { quote } from "./quote.js";

/** What else sets up networks: each takes away what it does not know while it starts. */
const networks = ["systemd-networkd.service", "NetworkManager.service", "networking.service"];

/** The unit that has systemd bring things back at boot, and again after whatever else configures the network starts anew. */
const unit = `[Unit]
Description=What pulumi-lvs has declared on this host
ConditionPathExists=/etc/pulumi-lvs/boot
Wants=network-online.target
After=network-online.target systemd-modules-load.service systemd-sysctl.service
After=${networks.join(" ")}
PartOf=${networks.join(" ")}

[Service]
Type=oneshot
RemainAfterExit=yes
KillMode=process
TimeoutStartSec=infinity
ExecStart=/bin/sh /etc/pulumi-lvs/restore

[Install]
WantedBy=multi-user.target ${networks.join(" ")}
`;

/** What the restore file does after the functions that it has from the prelude. */
const restore = String.raw`
LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
umask 022
tab=$(printf '\t') nl='
'
# what is still to come back in this boot, of all that goes before addresses; empty when that is done
R=$S/restored
locked() {
  take_lock -x 300 || { why="all of it: the lock $lock_file cannot be had (fuser $lock_file tells who has it)$nl"; return 1; }
  [ -e "$E/boot" ]
}
unlocked() { drop_lock; }
ranks() { cut -f1 | sort -u; }
of() { sed -n "/^$1$tab/p"; }
save() { { printf '%s' "$todo" >"$R.new"; } 2>/dev/null && mv "$R.new" "$R" || rm -f "$R.new"; }
# whose it is, as the host keeps it; settings carry claims of their own
own() {
  [ "$nature" = setting ] || grep -qxF -e "$owner $thing" "$S/owners" 2>/dev/null || mark "$owner $thing" && return
  why="$why$thing: whose it is could not be noted$nl"; return 1
}
# what is there already need not be made
run() {
  # what is left to the background must not hold the lock
  out=$(exec 9<&-; eval "$commands" 2>&1) && return
  case $out in *exists*|*'already assigned'*|*'already run'*) return 0;; esac
  why="$why$thing: $out$nl"; return 1
}
# records of one rank: those that are not there after it are $rest
bring() {
  bulk= rest=
  rules=$(printf '%s\n' "$1" | sed -n "s/^..$tab[^$tab]*$tab[^$tab]*$tab[^$tab]*$tab""ipvsadm \(-[Aa] \)/\1/p")
  # one process for all of them; where it has anything to say, each goes by itself
  [ -z "$rules" ] || [ -n "$(printf '%s\n' "$rules" | ipvsadm -R 2>&1 9<&-)" ] || bulk=done
  while IFS=$tab read -r rank nature thing owner commands <&8; do
    [ -n "$rank" ] || continue
    is=1; own || is=
    case "$bulk $commands" in 'done ipvsadm -A '*|'done ipvsadm -a '*) ;; *) run || is=;; esac
    [ -n "$is" ] || rest="$rest$rank$tab$nature$tab$thing$tab$owner$tab$commands$nl"
  done 8<<END
$1
END
}
# 1: something is missing without which nobody is to be let in
before() {
  [ -n "$todo" ] || return 0
  left=
  for r in $(printf '%s' "$todo" | ranks); do
    # what was taken out or declared otherwise meanwhile is not ours to make any more
    bring "$(printf '%s' "$todo" | grep -xF -f - "$E/boot" | of "$r")"; left=$left$rest
  done
  todo=$left; save
  # a director that tells no other of its connections, or ends them sooner, serves all the same
  [ -z "$(printf '%s' "$todo" | grep -v '^40')" ]
}
# rank from which on
addresses() {
  missing=$todo
  for r in $(ranks <"$E/boot"); do
    [ "$r" -lt "$1" ] || { bring "$(of "$r" <"$E/boot")"; missing=$missing$rest; }
  done
}
# all of it, once: 0 when nothing is missing
pass() {
  why= from=90
  locked || { unlocked; [ ! -e "$E/boot" ]; return; }
  [ -n "$prepared" ] || prepare
  ! before || from=80
  held=$why
  if [ $from = 80 ] && [ -n "$fresh" ]; then
    # servers that are dead are out before anybody is let in
    unlocked; [ ! -e "$E/monitor" ] || sh "$E/monitor" once
    fresh=
    locked || { unlocked; [ ! -e "$E/boot" ]; return; }
  fi
  addresses $from
  # a route that sends from an address waits as that does
  [ $from = 80 ] || why=$held
  unlocked
  [ -z "$missing" ]
}
tell() {
  printf '%s' "$why" | sed 's|^|pulumi-lvs: this could not be brought back: |' >&2
  [ $from = 80 ] || echo 'pulumi-lvs: until it is there, no virtual address is brought back; it is tried every 10 s' >&2
}
# the first time in a boot
prepare() {
  # of a thing with two records the second is one that never came about
  first=$(awk -F "$tab" '!seen[$2 == "setting" ? $3 FS $4 : $3]++' "$E/boot") &&
    [ "$first" = "$(cat "$E/boot")" ] || put_lines "$E" "$E/boot" "$first"
  mkdir -p "$S"
  todo=$(sed -n '/^[0-7]/p' "$E/boot")
  [ -z "$todo" ] || todo=$todo$nl
  save; prepared=1
}
fresh= prepared=1
if [ ! -e "$R" ]; then fresh=1 prepared=
else todo=$(cat "$R")
  # just installed, by a run that has made everything itself
  if [ "$todo" = new ]; then : >"$R"; exit 0; fi
  [ -z "$todo" ] || todo=$todo$nl
fi
uptime() { cut -d. -f1 /proc/uptime; }
seconds=90
end=$(($(uptime) + seconds))
until pass; do
  # modules and interfaces come when they come
  if [ "$(uptime)" -lt $end ]; then sleep 1; continue; fi
  tell
  # goes on until all is there, or somebody starts the unit anew
  (
    [ -z "$prepared" ] || fresh=
    said=$why
    while sleep 10 && systemctl is-failed -q pulumi-lvs.service; do
      if pass; then [ ! -e "$E/boot" ] || systemctl start --no-block pulumi-lvs.service; exit; fi
      [ "$why" = "$said" ] || tell
      said=$why
    done
  ) &
  exit 1
done
# networkd and its like take away addresses that they do not know while they set up their own
(
  left=15
  while [ $left -gt 0 ] && sleep 1 && locked && [ -e "$R" ] && [ ! -s "$R" ]; do
    addresses 80
    unlocked
    left=$((left - 1))
  done
) >/dev/null 2>&1 &
exit 0
`;

const version = createHash("sha256").update(prelude).update(restore).update(unit).digest("hex").slice(0, 12);

/**
 * Shell functions of scripts that declare things: a line for each in /etc/pulumi-lvs/boot, which a unit of ours brings back
 * at boot, or in /run/pulumi-lvs/boot, where it is only declared until then. `$prelude` is the text of the prelude.
 */
export const bootFunctions = String.raw`
D=/etc/systemd/system U=/etc/systemd/system/pulumi-lvs.service
starters='multi-user.target ${networks.join(" ")}'
version='# pulumi-lvs ${version}'
restore=${quote(restore)}
unit=${quote(unit)}
put_text() { { printf '%s\n' "$2" >"$1.new"; } 2>/dev/null && mv "$1.new" "$1" || { rm -f "$1.new"; full "$1"; }; }
put_boot() {
  begin=
  { IFS= read -r line <"$E/restore"; } 2>/dev/null && [ "$line" = "$version" ] && [ -e "$W" ] && return
  [ -d /run/systemd/system ] || { echo 'no systemd runs there, which would bring it back after a reboot' >&2; return 4; }
  mkdir -p "$E" "$S" &&
    put_text "$E/restore" "$version
# Written by pulumi-lvs, and gone with the last of what stacks have declared here: brings back /etc/pulumi-lvs/boot.
$prelude$restore" && put_text "$U" "$unit" && link_boot || { uninstall_boot; return 1; }
  sync "$E/restore" "$U" 2>/dev/null
  begin=start
  # what a former boot had is still to be brought back, or was
  [ -e "$E/boot" ] || { put_text "$S/restored" new && begin=restart; } || { uninstall_boot; return 1; }
}
# from now on it hears when others who set up the network start anew
begin_boot() {
  [ -z "$begin" ] || { systemctl daemon-reload; systemctl $begin --no-block pulumi-lvs.service; }
}
install_boot() { put_boot && begin_boot; }
link_boot() {
  for u in $starters; do mkdir -p "$D/$u.wants" && ln -sf "$U" "$D/$u.wants/pulumi-lvs.service" || return; done
}
uninstall_boot() {
  [ ! -e "$E/boot" ] || return 0
  had=; [ ! -e "$U" ] || { had=1; systemctl stop pulumi-lvs.service; systemctl reset-failed pulumi-lvs.service 2>/dev/null; }
  rm -f "$W" "$U" "$E/restore" "$S/restored" "$S/restored.new"
  for u in $starters; do
    rm -f "$D/$u.wants/pulumi-lvs.service"; [ "$u" = multi-user.target ] || rmdir "$D/$u.wants" 2>/dev/null
  done
  [ -z "$had" ] || systemctl daemon-reload
  rmdir "$E" 2>/dev/null; leave "$S"
}
keep() {
  put_boot || return
  add_lines "$E" boot "$@" || { uninstall_boot; return 1; }
  # there must be something to bring back, or systemd does not start it
  begin_boot || { unkeep "$@"; return 1; }
}
unkeep() { cut_lines "$E" boot "$@" && uninstall_boot; }
note() { add_lines "$S" boot "$@"; }
unnote() { cut_lines "$S" boot "$@"; }
# what a crash of the machine must not take
safe() { [ ! -e "$E/boot" ] || sync "$E/boot" "$E" 2>/dev/null; }
`;
