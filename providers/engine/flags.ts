import type { Bag } from "./inputs.js";

/** Outputs that the engine adds. They are absent when all is well. The docs have their comments. */

/**
 * True if refresh finds the resource gone, but the host has a record that would restore it at the next boot.
 * State keeps the resource: the next update makes it again. If the program does not declare it any more, its
 * deletion removes the record.
 */
export const gone = "gone";

/**
 * A word about the host's record of the resource. `missing`: refresh finds the resource as declared, but its
 * record is lost or incomplete, and the next update writes it. `stale`: refresh finds the live resource
 * different from the record, and an update runs even if the program matches the live resource. `adopted`:
 * create took over a thing that something else had made, and a rollback of that update must not delete it.
 * The last one stays beside either of the others: `adopted, missing`.
 *
 * @public the docs list it
 */
const record = "record";

/**
 * Owners in other stacks that claim the same thing, at the last refresh or change: `["blog/prod/vip"]`. A setting may
 * have several owners, and so may an object with `shared: true`. The last of them removes or restores it.
 */
export const sharedWith = "sharedWith";

export type RecordState = "missing" | "stale" | "adopted";

/** Returns the output `record`, or nothing if the record is as it must be. */
export const recordOutput = (...states: readonly (RecordState | false)[]): Bag => {
  const text = states.filter(Boolean).join(", ");
  return text === "" ? {} : { [record]: text };
};

/** Outputs of older versions, which a state may still have. Each is true or absent. */
const former: Readonly<Record<RecordState | typeof gone, string>> = {
  missing: "unmarked",
  stale: "undeclared",
  adopted: "adopted",
  gone: "missing",
};

/** Returns whether refresh found the resource gone, but its record there. */
export const isGone = (outputs: Bag): boolean => outputs[gone] !== undefined || outputs[former.gone] === true;

/** Returns whether the output `record` has this state. */
export const hasRecordState = (outputs: Bag, state: RecordState): boolean =>
  String(outputs[record] ?? "")
    .split(", ")
    .includes(state) || outputs[former[state]] === true;

/** Outputs that are no arguments. Refresh writes some to the inputs, so that Pulumi shows a difference. */
export const engineOutputs: readonly string[] = [record, gone, sharedWith, ...Object.values(former)];

/** Returns whether refresh found nothing that an update has to mend. */
export const isWhole = (outputs: Bag): boolean =>
  !isGone(outputs) && !hasRecordState(outputs, "missing") && !hasRecordState(outputs, "stale");
