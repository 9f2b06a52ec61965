import { existsSync } from "node:fs";
import { join } from "node:path";

const realPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Turns a script for a real host into one for a tree: other directories, its own PATH, a shorter wait for the lock, and
 * where faults are armed a counter around each command. All else stays as it is, and a path it does not know is refused,
 * so that no script ever touches the machine that runs the tests.
 */
export function rewrite(script: string, root: string, lockSeconds: number): string {
  const text = script
    .replaceAll(realPath, `PATH=${join(root, "tools")}`)
    // what is spaced out there need not be here
    .replaceAll(/\bsleep (1|5|10)\b/g, "sleep 0.01")
    .replaceAll(/(?<=\btake_lock -[sx] )\d+/g, String(Math.ceil(lockSeconds * 5)))
    .split("\n")
    // records are kept as they would be there
    .map((line) =>
      /^(check|log)\t|^.*(step|back|aside) (keep|unkeep|note|unnote) /.test(line) ? line : inTree(line, root),
    )
    .join("\n")
    .replace("left=15", "left=1")
    .replace("seconds=90", "seconds=1");
  return existsSync(join(root, "faults/armed")) ? armed(text, root) : text;
}

function inTree(line: string, root: string): string {
  const text = line.replaceAll(
    /(?<![\w.])\/(proc\/sys|proc\/net|proc\/\[0-9\]\*(?=\/comm)|sys\/module|run\/pulumi-lvs(?:\.lock)?|run\/systemd\/system|etc\/pulumi-lvs|etc\/systemd\/system|etc\/logrotate\.d)(?![\w-])/g,
    `${root}/$1`,
  );
  for (const [path] of text.matchAll(/(?<![\w.\])*}\\/])\/[a-z][\w./-]*/g))
    if (
      !path.startsWith(root) &&
      !/^\/(dev\/null|bin\/sh|proc\/(self\/(stat|ns\/net|fd\/[56])|uptime|\d+\/fd\/9)?|var\/log)$/.test(path)
    )
      throw new Error(`the fake host has no ${path}`);
  return text;
}

/** Commands of a script are counted one by one, in its own words for them, so that a fault can be bound to each. */
export const countedKinds = ["step", "back", "bulk", "aside"] as const;
export type CountedKind = (typeof countedKinds)[number];

function armed(script: string, root: string): string {
  const faults = join(root, "faults");
  let text = script;
  for (const kind of countedKinds) {
    const counting = text.replace(
      new RegExp(`(\\n${kind}\\(\\) \\{[^]*?without_lock )("\\$@"|ipvsadm -R)`),
      `$1counted ${kind} $2`,
    );
    // a script that only reads has none of them
    if (counting === text && text.includes(`\n${kind}() {`))
      throw new Error(`commands of ${kind} are not counted`);
    text = counting;
  }
  // what is written to /run and /etc goes to the device that is always full once /run is; a file made shorter in place finds room
  text = text.replaceAll(
    /(>>?)("\$(?:[SE]\/[^"]*|f|d\/new|1\.new)")/g,
    (_, how, path) => `${how}"$(room ${how.length} ${path})"`,
  );
  return text.replace("\n", `\n${faultFunctions(faults, join(root, "tools"))}`);
}

const faultFunctions = (faults: string, tools: string) => `counted() {
kind=$1; shift
i=0; [ ! -e ${faults}/count.$kind ] || read -r i <${faults}/count.$kind; echo $((i + 1)) >${faults}/count.$kind
if [ -e ${faults}/vanish.$kind.$i ]; then read -r tool <${faults}/vanish.$kind.$i; rm -f ${tools}/$tool; fi
[ ! -e ${faults}/fill.$kind.$i ] || : >${faults}/full
if [ -e ${faults}/fail.$kind.$i ]; then echo "injected failure" >&2; return 75; fi
if [ -e ${faults}/pause.$kind.$i ]; then
: >${faults}/reached
t=0; while [ ! -e ${faults}/go ] && [ $t -lt 6000 ]; do sleep 0.01; t=$((t + 1)); done
fi
"$@"
}
room() {
if [ -e ${faults}/full ] && ! { [ "$1" = 1 ] && [ -s "$2" ]; }; then : >>"$2"; printf /dev/full; else printf %s "$2"; fi
}
`;
