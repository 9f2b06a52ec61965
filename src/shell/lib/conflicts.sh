# is_elsewhere DIR: returns 0 if the process is in another network namespace, which has its own table. If that is
# unknown, the process counts as one in this namespace.
is_elsewhere() { theirs=$(readlink "$1/ns/net") && ours=$(readlink /proc/self/ns/net) && [ "$theirs" != "$ours" ]; }
# is_roots DIR: returns 0 if the process has root's real and effective user id. Uses grep, because bash has the kernel
# write status anew between two lines. A user who changes the process name meanwhile could move other text to the start
# of a line.
is_roots() {
  [ ! -u "$1/exe" ] || return
  # shellcheck disable=SC2046 # words of one line
  set -- $(grep '^Uid:' "$1/status")
  [ "$2 $3" = '0 0' ]
}
# is_vrrp DIR: returns 0 if a process of keepalived has to do with VRRP only: the main one, the one for VRRP, or a child
# of that. With virtual servers there is another one, which manages the table. Without files of process numbers
# each counts.
is_vrrp() {
  main= vrrp= number=${1%/}
  number=${number##*/}
  for d in "$ROOT/run" "$ROOT/run/keepalived"; do
    [ ! -e "$d/vrrp.pid" ] || { read -r vrrp <"$d/vrrp.pid" && read -r main <"$d/keepalived.pid"; }
  done
  [ -n "$main" ] && [ -n "$vrrp" ] || return
  [ "$number" != "$main" ] && [ "$number" != "$vrrp" ] || return 0
  # shellcheck disable=SC2046 # words of one line
  set -- $(grep '^PPid:' "$1/status")
  [ "$2" = "$vrrp" ]
}
# configures FILE WORD [LEVELS]: returns 0 if the file of keepalived, or one that it includes, has such a line.
configures() (
  levels=${3:-9}
  [ "$levels" -gt 0 ] && [ -f "$1" ] || exit 1
  ! grep -qE "^[[:blank:]]*(@[^[:blank:]]+[[:blank:]]+)?$2([[:blank:]{]|$)" "$1" || exit 0
  # Names are relative to the folder of the file.
  cd "${1%/*}" || exit 1
  sed -n 's/^[[:blank:]]*include[a-z]*[[:blank:]]\{1,\}//p' "$1" | tr -d \'\" | while read -r pattern rest; do
    for f in $pattern; do
      case $f in /*) ;; *) f=$PWD/$f ;; esac
      ! configures "$f" "$2" $((levels - 1)) || exit "$LINE_FOUND"
    done
  done
  [ $? = "$LINE_FOUND" ]
)
# find_conflicts: sets running to a line for each. A keepalived that does VRRP only may manage the sync daemons.
find_conflicts() {
  seen= running=
  for f in "$ROOT"/proc/[0-9]*/comm; do
    read -r name <"$f" || continue
    case " $CONFLICTS " in *" $name "*) ;; *) continue ;; esac
    case " $seen " in *" $name "*) continue ;; esac
    p=${f%comm}
    is_elsewhere "$p" || ! is_roots "$p" || {
      if [ "$name" = keepalived ] && is_vrrp "$p"; then
        case " $seen " in *' daemons '*) continue ;; esac
        configures "$ROOT/etc/keepalived/keepalived.conf" lvs_sync_daemon || continue
        name=daemons
      fi
      seen="$seen $name"
      running="$running$name
"
    }
  done 2>/dev/null
  :
}
read_conflicts() {
  find_conflicts
  printf '%s' "$running"
}
