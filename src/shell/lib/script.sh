# Scripts set it for LVS_LOG=trace.
trace=
# mark NUMBER: prints the newest process number of the machine, from which src/host/trace.ts counts.
mark() {
  [ -n "$trace" ] || return 0
  read -r rest rest rest rest last </proc/loadavg
  print_line "mark $1 $last"
}
# run_script LOCK FUNCTION: runs the function, which holds the steps of a script, in the subshell of the script. LOCK is
# -s or -x, or none. A script without the lock has the lock file open, too, because stop_script recognises it by that.
# The script ignores the signals of a lost connection: it keeps the lock until it has finished or undone its work.
run_script() {
  trap '' HUP INT TERM PIPE
  timed_out= only_reads=1 has_looked=
  [ "$1" != -x ] || only_reads=
  trap timed_out=1 USR1
  umask 022
  mark 0
  case $1 in none) open_lock ;; *) take_lock "$1" "$LOCK_TRIES" ;; esac
  locked=$?
  if [ $locked = 0 ]; then
    # Not in a child process, which would get its own number.
    read -r P rest </proc/self/stat
    print_line "begun $P"
    mark 1
    "$2"
    mark 4
  else
    print_line "locked $locked"
  fi
  [ -z "$timed_out" ] || print_line timeout
  print_line "done"
}
# guard COMMAND...: adds what the command prints to the facts of the guard.
guard() { ! observe "$@" || all=$all$out; }
# is_as_planned: returns 0 if $expect is the SHA-256 of the facts that `guarded` reads. sed leaves out what differs at
# each reading, as `steady` of src/host/report.ts does: the counts of connections at the end of lines with thresholds,
# and lifetimes of addresses.
is_as_planned() {
  all=
  guarded
  sed 's/^\(  -> [^ ]*  *[0-9][0-9]*  *[0-9][0-9]*\) .*/\1/
    s/_life_time":[0-9]*/_life_time":0/g' <<FACTS | sha256sum -c /proc/self/fd/8 8<<DIGEST >/dev/null 2>&1
$all
FACTS
$expect  -
DIGEST
}
# apply: makes the changes if the facts are still those of the plan, and reads the facts back. `guarded` reads the facts
# of the plan, `changes` makes the changes, and `readings` reads.
apply() {
  if is_as_planned; then
    mark 2
    take_over
    changes
    safe
    mark 3
  else print_line stale; fi
  readings
}
