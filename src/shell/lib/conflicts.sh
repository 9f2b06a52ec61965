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
# find_conflicts: sets running to a line for each.
find_conflicts() {
  seen= running=
  for f in "$ROOT"/proc/[0-9]*/comm; do
    read -r name <"$f" || continue
    case " $CONFLICTS " in *" $name "*) ;; *) continue ;; esac
    case " $seen " in *" $name "*) continue ;; esac
    p=${f%comm}
    is_elsewhere "$p" || ! is_roots "$p" || { [ "$name" = keepalived ] && is_vrrp "$p"; } || {
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
