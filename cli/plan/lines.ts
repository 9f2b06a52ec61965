import { head } from "../../src/health/monitor.js";
import type { Step } from "../../src/host/step.js";
import { shownCommand } from "../../src/shell/shown-command.js";
import { visible } from "../../src/values/foreign.js";

/** What runs if a change is undone. */
export interface Undo {
  readonly text: string;
}

/** A command, or a file that is written, and what undoes it. */
export interface Line {
  readonly text: string;
  /** True for the package's own records on the host. Nothing else is changed by them. */
  readonly isRecord: boolean;
  /** Null if there is nothing to undo. */
  readonly undo: string | null;
  /** The lines of the file or command, if `text` only names it. */
  readonly content?: readonly string[];
  /** The lines of the file that the undo writes. */
  readonly undoContent?: readonly string[];
  /** What only the host knows. */
  readonly unknown?: string;
}

const records = new Set([
  ...["record", "erase", "install_boot", "begin_drain", "end_drain", "note_drained"],
  ...["claim_file", "claim_timeouts", "claim_module", "claim_dragged"],
]);

/** Returns a whole command without the quotes that messages give it. A cut could hide what is run. */
const shown = (argv: readonly string[]): string =>
  shownCommand(argv, Number.POSITIVE_INFINITY).replace(/^`([^`]*)`$/, "$1");

/** Returns the lines of a text as people see them, each whole. */
export const contentOf = (text: string): string[] =>
  text.split("\n").map((line) => visible(line.replaceAll("\t", " ").trimEnd()));

/** Returns the lines of the file that a command writes, if it may have commands, such as the checks of a monitor. */
const fileOf = ([name, , text = ""]: readonly string[]): string[] | undefined =>
  name === "put_monitor" || name === "put_vrrp" ? contentOf(text).filter((line) => line !== head) : undefined;

const isSetting = ({ run: [name, first] }: Step): boolean =>
  name === "put_file" || name === "modprobe" || (name === "ipvsadm" && first === "--set");

/** Returns what only the host knows about a step. */
function unknownOf(step: Step): string | undefined {
  const [name] = step.run;
  if (isSetting(step) && !step.undo)
    return "the value that the host has now; with the right one the line is not run";
  if (name === "announce") return "whether the interface does ARP; without it the line is not run";
  if (name === "restore_module")
    return "whether it was loaded before, and then stays; which modules it has loaded along, and these go, too";
  return undefined;
}

/** Returns the claim of a setting in the same change. Its undo restores the value from before. */
const claimOf = ({ run: [name, first = ""] }: Step, steps: readonly Step[]): Step | undefined =>
  steps.find(({ run: [claim = "", ...args] }) =>
    name === "ipvsadm" ? claim === "claim_timeouts" : claim.startsWith("claim_") && args.includes(first),
  );

const inTable = (line: string): string[] => ["ipvsadm", ...line.split(" ")];

/** Returns the lines that a step gives to one ipvsadm as steps of their own, each with its undo, or the step itself. */
export const apart = (step: Step): Step[] => {
  const [name, ...lines] = step.run;
  const undo = step.undo?.slice(1).reverse() ?? [];
  return name === "put_entries"
    ? lines.map((line, i) => ({ run: inTable(line), undo: undo[i] === undefined ? null : inTable(undo[i]) }))
    : [step];
};

/** Returns the claim that a step gives up, or undefined. */
export const releasedBy = ({ run: [name = "", claim] }: Step): string | undefined =>
  name.startsWith("restore_") ? claim : undefined;

/**
 * Returns steps as people see them. Those that do nothing but have an undo are not among them. `kept` are the steps that
 * give up one of several claims, which changes nothing else.
 */
export const linesOf = (steps: readonly Step[], kept: ReadonlySet<Step>): Line[] =>
  steps
    .filter(({ run }) => run[0] !== ":")
    .flatMap(apart)
    .map((step) => {
      if (kept.has(step))
        return {
          text: `giving up one of several claims of ${releasedBy(step)}`,
          isRecord: true,
          undo: null,
        };
      const unknown = unknownOf(step);
      const [content, undoContent] = [fileOf(step.run), step.undo && fileOf(step.undo)];
      const undo = step.undo ?? (isSetting(step) ? claimOf(step, steps)?.undo : null);
      return {
        text: shown(step.run),
        isRecord: records.has(step.run[0] ?? ""),
        undo: undo ? shown(undo) : null,
        ...(content ? { content } : {}),
        ...(undoContent ? { undoContent } : {}),
        ...(unknown === undefined ? {} : { unknown }),
      };
    });

/** Returns the undo commands of steps that do nothing themselves. */
export const undoOf = (steps: readonly Step[]): Undo[] =>
  steps.flatMap(({ run, undo }) => {
    if (run[0] !== ":" || !undo) return [];
    const undone = undo[0] === "put_entries" ? undo.slice(1).map(inTable) : [undo];
    return undone.map((one) => ({ text: shown(one) }));
  });
