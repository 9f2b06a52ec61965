# only_root FOLDER: returns 0 if only root may change the contents of that physical path. A sticky folder may stand
# above, because root owns the next one. On Ubuntu /var/log belongs to group syslog, which may write to it.
only_root() (
  set -f
  folder=$1 above=
  while :; do
    # shellcheck disable=SC2046 # words of one line
    set -- $(ls -ldn "$folder/" 2>/dev/null)
    [ "${3:-}" = 0 ] || [ -O "$folder/" ] || exit 1
    shared=
    # With an access list the bits of the group stand for the list, too.
    case $1 in ????????w* | ?????w????+*) shared=others ;; ?????w*) [ "$4" = 0 ] || shared=group ;; esac
    case $shared:$above$1 in
      :* | *:above?????????[tT]*) ;;
      group:*)
        # shellcheck disable=SC2046 # words of one line
        set -- $(ls -ld "$folder/")
        [ "$folder $4" = "$ROOT/var/log syslog" ] || exit 1
        ;;
      *) exit 1 ;;
    esac
    [ -n "$folder" ] || exit 0
    folder=${folder%/*} above=above
  done
)
# put_log FILE LINE: appends the line, or prints why it cannot.
put_log() (
  umask 022
  cd -P "${1%/*}/" 2>/dev/null || {
    printf 'its folder cannot be entered\n'
    exit 1
  }
  here=$(pwd -P) here=${here%/} name=${1##*/}
  only_root "$here" || {
    printf '%s\n' "others than root may write to its folder, or to one above"
    exit 1
  }
  if [ -h "./$name" ] || { [ -e "./$name" ] && [ ! -f "./$name" ]; }; then
    printf 'it is not a regular file\n'
    exit 1
  fi
  [ -e "./$name" ] || (
    set -C
    : >"./$name"
  ) 2>/dev/null
  # Opening for reading and writing does not wait for the reader of a fifo. Then check the file once more.
  {
    [ -f /proc/self/fd/6 ] && [ "$(readlink /proc/self/fd/6)" = "$here/$name" ] && printf '%s\n' "$2" >>/proc/self/fd/6
  } 2>/dev/null 6<>"./$name" ||
    {
      printf 'there is no room, or no right to write\n'
      exit 1
    }
) 2>/dev/null
unlogged=' '
# put_logs: writes the lines in $logs. Reports a log that cannot be written once, and sends its lines to the journal.
put_logs() {
  [ -n "$logs" ] || return 0
  while IFS=$tab read -r file line <&7; do
    if why=$(put_log "$file" "$line"); then
      case $unlogged in *" $file "*) unlogged=${unlogged%%" $file "*}" ${unlogged#*" $file "}" ;; esac
      continue
    fi
    case $unlogged in *" $file "*) ;; *)
      unlogged="$unlogged$file "
      printf '%s\n' "$file: cannot be written: $why; its lines go to the journal" >&2
      ;;
    esac
    printf '%s\n' "$file: $line" >&2
  done 7<<END
$logs
END
}
