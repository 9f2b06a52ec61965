LC_ALL=C
export LC_ALL PATH
umask 022
tab=$(printf '\t') nl='
'
blanks=" $tab$nl"
# The records before addresses that this boot has not restored yet. Empty when all are restored.
R=$S/restored
locked() {
  take_lock -x "$LOCK_TRIES" || {
    why="the records: the lock $lock_file is held (fuser $lock_file shows by which process)$nl"
    return 1
  }
  [ -e "$E/boot" ]
}
unlocked() { drop_lock; }
form="^[0-9][0-9]${tab}(object|setting)${tab}[^${tab}]+${tab}[^${tab}]*${tab}[^${tab}]"
records() { grep -E "$form" "$E/boot"; }
ranks() { cut -f1 | sort -u; }
of() { sed -n "/^$1$tab/p"; }
# clean TEXT: prints the text as one line of at most 200 printable characters.
clean() { printf '%s' "$1" | tr '\n\t' '  ' | tr -dc '[:print:]' | cut -c 1-200; }
save() { { printf '%s' "$todo" >"$R.new"; } 2>/dev/null && mv "$R.new" "$R" || rm -f "$R.new"; }
uptime() { cut -d. -f1 /proc/uptime; }
# run: makes the thing of a record. Returns 0 if it exists already. Only ipvsadm and ip say that: the messages of other
# verbs contain names and values. No argument of these verbs has a blank.
run() {
  without_lock obey "$verb" "$args" && return
  case $verb:$out in
    service:*' exists'* | server:*' exists'* | address:*' exists'* | route:*' exists'*) return 0 ;;
    address:*' already assigned'* | daemon:*' already run'*) return 0 ;;
  esac
  why="$why$thing: $(clean "$out")$nl"
  return 1
}
# bring RECORDS: makes the things of records of one rank. Sets $rest to the records that failed.
bring() {
  bulk= rest=
  rules=$(entries "$1")
  # One ipvsadm for all entries. If it prints anything, each entry is made by itself.
  [ -z "$rules" ] || [ -n "$(printf '%s\n' "$rules" | ipvsadm -R 2>&1 9<&-)" ] || bulk=1
  while IFS=$tab read -r rank nature thing owner verb args <&8; do
    [ -n "$rank" ] || continue
    is=1
    case $bulk$verb in
      1service | 1server) fits "$args" || run || is= ;;
      *) run || is= ;;
    esac
    [ -n "$is" ] || rest="$rest$rank$tab$nature$tab$thing$tab$owner$tab$verb${args:+$tab$args}$nl"
  done 8<<END
$1
END
}
before() {
  [ -n "$todo" ] || return 0
  left=
  for r in $(printf '%s' "$todo" | ranks); do
    # Skips records that were removed or changed meanwhile.
    bring "$(printf '%s' "$todo" | grep -xF -f - "$E/boot" | of "$r")"
    left=$left$rest
  done
  [ "$left" = "$todo" ] || unchecked=1
  todo=$left
  save
}
# addresses: makes the addresses and routes whose turn it is. Sets $waits and $missing.
addresses() {
  turn=$({
    printf '%s' "$todo"
    printf '%s\n' --
    records
  } | awk -v overdue="$overdue" -v TABLE="$TABLE" -v SERVICE="$SERVICE" -v SERVER="$SERVER" -v ADDRESS="$ADDRESS" \
    "$turns")
  waits=$(printf '%s\n' "$turn" | sed -n "s/^wait$tab//p") missing=
  go=$(printf '%s\n' "$turn" | sed -n "s/^go$tab//p")
  for r in $(printf '%s\n' "$go" | ranks); do
    bring "$(printf '%s\n' "$go" | of "$r")"
    missing=$missing$rest
  done
}
# pass: tries all records once. Returns 0 if nothing is missing.
pass() {
  why=
  locked || {
    unlocked
    [ ! -e "$E/boot" ]
    return
  }
  [ -n "$prepared" ] || prepare
  before
  if [ -n "$unchecked" ] && [ -e "$E/monitor" ]; then
    # Dead servers are removed before the addresses let clients in.
    unlocked
    sh "$E/monitor" once
    locked || {
      unlocked
      [ ! -e "$E/boot" ]
      return
    }
  fi
  unchecked=
  addresses
  unlocked
  [ -z "$todo$missing$waits" ]
}
say_missing() {
  printf '%s' "$why" | sed 's|^|pulumi-lvs: cannot restore |' >&2
  [ -z "$waits" ] || printf '%s\n' "$waits" | sed "s|$tab| waits for |; s|^|pulumi-lvs: |" >&2
}
# prepare: runs at the first pass of a boot.
prepare() {
  # If an owner has two records of a thing, or an object that is not shared has, the second is of a change that did
  # not complete.
  first=$(awk -F "$tab" 'NF < 5 || !seen[$2 == "setting" ? $3 FS $4 : $3]++' "$E/boot") &&
    [ "$first" = "$(cat "$E/boot")" ] || put_lines "$E" "$E/boot" "$first"
  grep -vE "$form" "$E/boot" | while IFS= read -r line; do
    printf '%s\n' "pulumi-lvs: this line of $E/boot is not a record, and is ignored: $(clean "$line")" >&2
  done
  mkdir -p "$S"
  todo=$(records | awk -v ADDRESS="$ADDRESS" '$1 < ADDRESS')
  [ -z "$todo" ] || todo=$todo$nl
  save
  prepared=1
}
overdue= unchecked= prepared= todo= missing= waits=
if [ -e "$R" ]; then
  prepared=1 todo=$(cat "$R")
  # The run that installed this file has made everything itself.
  if [ "$todo" = new ]; then
    : >"$R"
    exit 0
  fi
  [ -z "$todo" ] || todo=$todo$nl
fi
# Until this time addresses wait for what may still come. A restart of the unit does not extend it.
end=$(cat "$R.end" 2>/dev/null)
[ -n "$end" ] || {
  end=$(($(uptime) + OVERDUE_SECONDS))
  mkdir -p "$S"
  write_text "$R.end" "$end"
}
while :; do
  [ "$(uptime)" -lt "$end" ] || overdue=1
  ! pass || break
  # Modules and interfaces may appear later.
  if [ -z "$overdue" ]; then
    sleep "$ROUND_SECONDS"
    continue
  fi
  say_missing
  minutes=$((GIVE_UP_SECONDS / 60))
  printf '%s\n' "pulumi-lvs: trying again every $RETRY_SECONDS s for $minutes min" >&2
  echo 'pulumi-lvs: if no stack declares it any more: npx pulumi-lvs forget HOST, else: pulumi up --refresh' >&2
  # Continues in the background until all is restored, that time is over, or the unit is restarted.
  (
    reported=$why$waits last=$(($(uptime) + GIVE_UP_SECONDS))
    while sleep "$RETRY_SECONDS" && systemctl is-failed -q pulumi-lvs.service; do
      if pass; then
        rm -f "$R.end"
        [ ! -e "$E/boot" ] || systemctl start --no-block pulumi-lvs.service
        exit
      fi
      [ "$why$waits" = "$reported" ] || say_missing
      reported=$why$waits
      [ "$(uptime)" -lt $last ] || {
        say_missing
        printf '%s\n' "pulumi-lvs: stopped after $minutes min; systemctl restart pulumi-lvs tries again" >&2
        exit
      }
    done
  ) &
  exit 1
done
rm -f "$R.end"
# While networkd and similar services start, they remove addresses that they do not know.
(
  left=$WATCH_ROUNDS
  while [ "$left" -gt 0 ] && sleep "$ROUND_SECONDS" && locked && [ -e "$R" ] && [ ! -s "$R" ]; do
    addresses
    unlocked
    left=$((left - 1))
  done
) >/dev/null 2>&1 &
exit 0
