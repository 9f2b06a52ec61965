/** Paths of the kernel and of the shell that are the same in a tree: of a process itself, and of what is no host's own. */
const shared = [
  // an object of D-Bus, which is no file
  /^\/org\/freedesktop\//,
  /^\/dev\/null$/,
  /^\/bin\/sh$/,
  // a clock that only goes on
  /^\/proc\/uptime$/,
  // the newest process number, for a log only
  /^\/proc\/loadavg$/,
  // the script's own process, and those that it started or ends; their numbers are the machine's
  /^\/proc\/self\/(stat|ns\/net|fd\/[568])$/,
  /^\/proc\/(\$(pid|ends)|\d+)\/fd\/\d$/,
  /^\/proc\/\[0-9\]\*\/status$/,
  /^\/proc\/(\})?$/,
];

/** Lines that name a file for functions which put $ROOT before it: claim_file, put_file and the like. */
const rooted = [
  /^(step|run_undo|undo_step \d+) (claim_file|put_file|restore_file|retake_file|with_file|claim_dragged) /,
  // of a sysctl's record, of IP forwarding, and of a check through the VIP
  /^ *f=\/proc\/sys\/\$\(/,
  /^ *'\/proc\/sys\/net\/ipv4\/conf\/\*\/forwarding /,
  /^sysctl_of\(\) \{ setting=[^ ]* file=[^ ]*; \}$/,
  // records hold the names that a host knows
  /^(step|aside|run_undo|undo_step \d+) (record|erase) /,
  // data of a monitor, which no shell reads
  /^[a-z]+\t/,
  // data for keepalived, which the fake one does not run
  /^\tscript "\/bin\/grep -qxE /,
  /^\tfile "\/run\/pulumi-lvs-hold-/,
];

/**
 * Absolute paths in text that runs on hosts which $ROOT does not stand before. A script that has one might touch the machine
 * that runs the tests.
 */
export function straying(text: string, root = "$ROOT"): string[] {
  return text
    .replaceAll('"$ROOT"/', "$ROOT/")
    .split("\n")
    .filter((line) => !/^\s*#/.test(line))
    .flatMap((line) => {
      if (rooted.some((one) => one.test(line))) return [];
      return [...line.matchAll(/(?<![\w.\])*}\\/])\/[a-z][\w./$[\]*{}-]*/g)]
        .map(([path]) => path)
        .filter((path) => !path.startsWith(`${root}/`) && !shared.some((one) => one.test(path)));
    });
}
