import { isIdle, onFailure, type Step, step } from "../../src/host/step.js";

/** The order of the steps for records. */
const orderOf = ["record", ":", "install_boot", "erase"];

const isForLedger = ({ run: [name = ""] }: Step): boolean => orderOf.includes(name);

const lineOf = (run: readonly string[]): string => run.slice(1).join(" ");

/** Returns what consecutive steps have in common that can be one step, or undefined for a step that stays alone. */
function kindOf(one: Step): string | undefined {
  const { run, undo, role } = one;
  if (role === "entry") return isIdle(one) ? "undone entries" : "entries";
  return role && [...run.slice(0, 2), ...(undo?.slice(0, 2) ?? [])].join(" ");
}

/** Returns steps of one kind that write or erase records as one step. */
function recordsOf(steps: readonly Step[]): Step {
  const all = (commands: readonly (readonly string[])[]) => [
    ...(commands[0]?.slice(0, 2) ?? []),
    ...commands.flatMap((words) => words.slice(2)),
  ];
  const undo = steps.flatMap(({ undo }) => (undo ? [undo] : []));
  return step(all(steps.map(({ run }) => run)), undo.length > 0 ? all(undo) : null, steps[0]?.role);
}

/** Returns lines of the table of one kind in one command, and their undo in reverse order. */
function entriesOf(lines: readonly Step[]): Step {
  const undo = lines.flatMap(({ undo }) => (undo ? [lineOf(undo)] : [])).reverse();
  const run = lines.flatMap((one) => (isIdle(one) ? [] : [lineOf(one.run)]));
  return run.length === 0
    ? onFailure(["put_entries", ...undo])
    : { run: ["put_entries", ...run], undo: ["undo_entries", ...undo], isPartial: true };
}

/** Returns the steps with consecutive ones in one command where that does the same. */
export function joined(steps: readonly Step[]): Step[] {
  const groups: { kind: string | undefined; steps: [Step, ...Step[]] }[] = [];
  for (const one of steps) {
    const kind = kindOf(one);
    const last = groups.at(-1);
    if (kind !== undefined && last?.kind === kind) last.steps.push(one);
    else groups.push({ kind, steps: [one] });
  }
  return groups.map(({ kind, steps }) => {
    if (steps.length === 1) return steps[0];
    return kind?.endsWith("entries") ? entriesOf(steps) : recordsOf(steps);
  });
}

/**
 * Returns the steps of a service and its pool in few commands, because each starts processes on the host. The records
 * of what is there come first. The records of servers that leave go last, after their entries.
 */
export function inFewCommands(steps: readonly Step[], leaving: readonly Step[]): Step[] {
  const records = steps
    .filter(isForLedger)
    .toSorted((a, b) => orderOf.indexOf(a.run[0] as string) - orderOf.indexOf(b.run[0] as string));
  const once = records.filter(
    ({ run: [name] }, i) => name !== "install_boot" || records[i - 1]?.run[0] !== name,
  );
  const rules = [...steps, ...leaving].filter((one) => !isForLedger(one));
  const notes = rules.filter(({ run: [name] }) => name === "note_drained");
  return [
    ...joined(once),
    ...joined(rules.filter((one) => !notes.includes(one))),
    ...joined(leaving.filter(isForLedger)),
    ...notes,
  ];
}
