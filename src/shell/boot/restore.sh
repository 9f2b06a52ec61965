LC_ALL=C
export LC_ALL PATH
umask 022
tab=$(printf '\t') nl='
'
blanks=" $tab$nl"
# What the passes share. Each function names what else it sets.
# todo: the records before addresses that this boot has not restored yet. $R has them. It is empty when none is left.
# missing: the records of addresses and routes whose turn it was, and that failed.
# waits: the addresses and routes whose turn it is not, each with what is missing.
# why: what failed in this pass, as lines for people.
# prepared: 1 if the first pass of this boot has begun.
# unchecked: 1 if a pass made something that the health checks have not seen.
# overdue: 1 if addresses wait no more for what may still come.
todo= missing= waits= why= prepared= unchecked= overdue=
R=$S/restored
# locked: takes the lock. Returns 1 without it if another process has it, or if there are no records any more.
locked() {
  if take_lock -x "$LOCK_TRIES"; then
    [ ! -e "$E/boot" ] || return 0
  else
    why="the records: the lock $lock_file is held (fuser $lock_file shows by which process)$nl"
  fi
  drop_lock
  return 1
}
form="^[0-9][0-9]${tab}(object|setting)${tab}[^${tab}]+${tab}[^${tab}]*${tab}[^${tab}]"
records() { grep -E "$form" "$E/boot"; }
# clean TEXT: prints the text as one line of at most 200 printable characters.
clean() { printf '%s' "$1" | tr '\n\t' '  ' | tr -dc '[:print:]' | cut -c 1-200; }
save() { { printf '%s' "$todo" >"$R.new"; } 2>/dev/null && mv "$R.new" "$R" || rm -f "$R.new"; }
uptime() { cut -d. -f1 /proc/uptime; }
# make_thing THING VERB ARGUMENTS: makes the thing of a record. Returns 0 if it exists already. Adds a failure to $why.
# Only ipvsadm and ip say that something exists: the messages of other verbs contain names and values. No argument of
# these verbs has a blank.
make_thing() {
  without_lock obey "$2" "$3" && return
  case $2:$out in
    service:*' exists'* | server:*' exists'* | address:*' exists'* | route:*' exists'*) return 0 ;;
    address:*' already assigned'* | daemon:*' already run'*) return 0 ;;
  esac
  why="$why$1: $(clean "$out")$nl"
  return 1
}
# bring_rank RECORDS: makes the things of records of one rank. Adds the records that fail to $failed.
bring_rank() {
  bulk=
  rules=$(entries "$1")
  # One ipvsadm for all entries. If it prints anything, each entry is made by itself.
  [ -z "$rules" ] || [ -n "$(printf '%s\n' "$rules" | ipvsadm -R 2>&1 9<&-)" ] || bulk=1
  while IFS=$tab read -r rank nature thing owner verb args <&8; do
    [ -n "$rank" ] || continue
    case $bulk$verb in
      1service | 1server) ! fits "$args" || continue ;;
    esac
    make_thing "$thing" "$verb" "$args" ||
      failed="$failed$rank$tab$nature$tab$thing$tab$owner$tab$verb${args:+$tab$args}$nl"
  done 8<<END
$1
END
}
# bring RECORDS: makes the things of records in the order of their ranks. Sets $failed to the records that failed.
bring() {
  failed=
  for r in $(printf '%s\n' "$1" | cut -f1 | sort -u); do
    bring_rank "$(printf '%s\n' "$1" | sed -n "/^$r$tab/p")"
  done
}
# restore_first: makes what comes before addresses.
restore_first() {
  [ -n "$todo" ] || return 0
  # Skips records that were removed or changed meanwhile.
  bring "$(printf '%s' "$todo" | grep -xF -f - "$E/boot")"
  [ "$failed" = "$todo" ] || unchecked=1
  todo=$failed
  save
}
# restore_addresses: makes the addresses and routes whose turn it is.
restore_addresses() {
  turn=$({
    printf '%s' "$todo"
    printf '%s\n' --
    records
  } | awk -v overdue="$overdue" -v TABLE="$TABLE" -v SERVICE="$SERVICE" -v SERVER="$SERVER" -v ADDRESS="$ADDRESS" \
    "$turns")
  waits=$(printf '%s\n' "$turn" | sed -n "s/^wait$tab//p")
  bring "$(printf '%s\n' "$turn" | sed -n "s/^go$tab//p")"
  missing=$failed
}
# pass: tries all records once. Returns 0 if nothing is missing.
pass() {
  why=
  locked || {
    [ ! -e "$E/boot" ]
    return
  }
  [ -n "$prepared" ] || prepare
  restore_first
  if [ -n "$unchecked" ] && [ -e "$E/monitor" ]; then
    # Dead servers are removed before the addresses let clients in.
    drop_lock
    sh "$E/monitor" once
    locked || {
      [ ! -e "$E/boot" ]
      return
    }
  fi
  unchecked=
  restore_addresses
  drop_lock
  [ -z "$todo$missing$waits" ]
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
# report_missing: prints what failed in the last pass, and what waits.
report_missing() {
  printf '%s' "$why" | sed 's|^|pulumi-lvs: cannot restore |' >&2
  [ -z "$waits" ] || printf '%s\n' "$waits" | sed "s|$tab| waits for |; s|^|pulumi-lvs: |" >&2
}
# retry: passes again until all is restored, the time is over, or the unit is restarted. Ends the shell.
retry() {
  reported=$why$waits last=$(($(uptime) + GIVE_UP_SECONDS))
  while sleep "$RETRY_SECONDS" && systemctl is-failed -q pulumi-lvs.service; do
    if pass; then
      rm -f "$R.end"
      [ ! -e "$E/boot" ] || systemctl start --no-block pulumi-lvs.service
      exit
    fi
    [ "$why$waits" = "$reported" ] || report_missing
    reported=$why$waits
    [ "$(uptime)" -lt "$last" ] || {
      report_missing
      printf '%s\n' "pulumi-lvs: stopped after $minutes min; systemctl restart pulumi-lvs tries again" >&2
      exit
    }
  done
}
# watch: makes addresses again that go. While networkd and similar services start, they remove what they do not know.
watch() {
  left=$WATCH_ROUNDS
  while [ "$left" -gt 0 ] && sleep "$ROUND_SECONDS" && locked && [ -e "$R" ] && [ ! -s "$R" ]; do
    restore_addresses
    drop_lock
    left=$((left - 1))
  done
}
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
[ "$(uptime)" -lt "$end" ] || overdue=1
until pass; do
  if [ -n "$overdue" ]; then
    report_missing
    minutes=$((GIVE_UP_SECONDS / 60))
    printf '%s\n' "pulumi-lvs: trying again every $RETRY_SECONDS s for $minutes min" >&2
    echo 'pulumi-lvs: if no stack declares it any more: npx pulumi-lvs forget HOST, else: pulumi up --refresh' >&2
    retry &
    exit 1
  fi
  # Modules and interfaces may appear later.
  sleep "$ROUND_SECONDS"
  [ "$(uptime)" -lt "$end" ] || overdue=1
done
rm -f "$R.end"
watch >/dev/null 2>&1 &
exit 0
