# each network namespace has a table of its own; where nothing is told, a process counts as one of ours
is_elsewhere() { theirs=$(readlink "$1/ns/net") && ours=$(readlink /proc/self/ns/net) && [ "$theirs" != "$ours" ]; }
# is_roots DIR: whether the process has root's real and effective user id. Not by the shell's own read: between two
# lines bash has the kernel write status anew, and a name that its user changes meanwhile moves other text to where
# the next line begins.
is_roots() {
  [ ! -u "$1/exe" ] || return
  # shellcheck disable=SC2046 # words of one line
  set -- $(grep '^Uid:' "$1/status")
  [ "$2 $3" = '0 0' ]
}
read_rivals() {
  seen=
  for f in /proc/[0-9]*/comm; do
    read -r name <"$f" || continue
    case " $RIVALS " in *" $name "*) ;; *) continue ;; esac
    case " $seen " in *" $name "*) continue ;; esac
    p=${f%comm}
    is_elsewhere "$p" || ! is_roots "$p" || {
      seen="$seen $name"
      printf '%s\n' "$name"
    }
  done 2>/dev/null
}
