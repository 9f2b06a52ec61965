import { isDeepStrictEqual } from "node:util";
import { type Step, step } from "../../src/host/step.js";

const orderOf = ["record", ":", "install_boot", "erase"];

const isAboutRecords = ({ run: [name = ""] }: Step): boolean => orderOf.includes(name);

/** Returns whether a command is one line of the table, which `ipvsadm -R` reads as it is. */
const isEntry = (run: readonly string[] | null): run is readonly string[] =>
  run?.[0] === "ipvsadm" && !run[1]?.startsWith("--") && run.every((word) => !/[\s'"\\#]/.test(word));

const lineOf = (run: readonly string[]): string => run.slice(1).join(" ");

/** Returns two steps as one that does the same, or undefined. */
function merged(one: Step, other: Step): Step | undefined {
  const [name, lifetime] = one.run;
  if (name === "record" || name === "erase") {
    const undo = other.undo?.slice(0, 2);
    if (other.run[0] !== name || other.run[1] !== lifetime || !isDeepStrictEqual(one.undo?.slice(0, 2), undo))
      return undefined;
    return step(
      [...one.run, ...other.run.slice(2)],
      one.undo && other.undo && [...one.undo, ...other.undo.slice(2)],
    );
  }
  if (name === ":" && other.run[0] === ":" && one.undo?.[0] === "erase")
    return isDeepStrictEqual(one.undo.slice(0, 2), other.undo?.slice(0, 2))
      ? step([":"], [...one.undo, ...(other.undo?.slice(2) ?? [])])
      : undefined;
  return undefined;
}

/** Returns lines of the table in one command, and their undo in reverse order. */
function oneOf(lines: readonly Step[]): Step {
  const undo = lines.flatMap(({ undo }) => (undo ? [lineOf(undo)] : [])).reverse();
  const run = lines.flatMap(({ run }) => (run[0] === ":" ? [] : [lineOf(run)]));
  return run.length === 0
    ? step([":"], ["put_entries", ...undo])
    : { run: ["put_entries", ...run], undo: ["back_entries", ...undo], isPartial: true };
}

/** Returns the steps with consecutive ones in one command where that does the same. */
export function joined(steps: readonly Step[]): Step[] {
  const out: Step[] = [];
  let lines: Step[] = [];
  const flush = () => {
    if (lines.length > 1) out.push(oneOf(lines));
    else out.push(...lines);
    lines = [];
  };
  for (const one of steps) {
    const isUndo = one.run[0] === ":" && isEntry(one.undo);
    const first = lines[0];
    if (isUndo || (isEntry(one.run) && isEntry(one.undo))) {
      if (first && (first.run[0] === ":") !== isUndo) flush();
      lines.push(one);
      continue;
    }
    flush();
    const last = out.at(-1);
    const both = last && merged(last, one);
    if (both) out[out.length - 1] = both;
    else out.push(one);
  }
  flush();
  return out;
}

/**
 * Returns the steps of a service and its pool in few commands, because each starts processes on the host. The records
 * of what is there come first. The records of servers that leave go last, after their entries.
 */
export function inFewCommands(steps: readonly Step[], leaving: readonly Step[]): Step[] {
  const records = steps
    .filter(isAboutRecords)
    .toSorted((a, b) => orderOf.indexOf(a.run[0] as string) - orderOf.indexOf(b.run[0] as string));
  const once = records.filter(
    ({ run: [name] }, i) => name !== "install_boot" || records[i - 1]?.run[0] !== name,
  );
  const rules = [...steps, ...leaving].filter((one) => !isAboutRecords(one));
  const notes = rules.filter(({ run: [name] }) => name === "note_drained");
  return [
    ...joined(once),
    ...joined(rules.filter((one) => !notes.includes(one))),
    ...joined(leaving.filter(isAboutRecords)),
    ...notes,
  ];
}
