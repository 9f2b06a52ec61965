import { isDeepStrictEqual } from "node:util";
import type { Facts } from "../../src/facts/facts.js";
import { type Change, isRecorded } from "./change.js";
import type { Definition } from "./define.js";
import { engineOutputs, gone, hasRecordState, type RecordState, recordOutput } from "./flags.js";
import {
  type Bag,
  checkIdentity,
  checkInputs,
  clean,
  computedIn,
  keyOf,
  noOwner,
  partsOf,
  without,
} from "./inputs.js";
import type { Runner } from "./runner.js";
import { sharers } from "./sharing.js";

/** What Pulumi gets from a read. It is empty if the resource does not exist. */
export interface ReadResult {
  readonly id?: string;
  readonly props?: Bag;
  readonly inputs?: Bag;
}

/** The state on the host, and what is wrong with its record. */
interface Observed {
  readonly have: Bag;
  readonly flaw: RecordState | false;
}

/** Reads a resource by the host's facts. A kind that only queries stays as it is. */
export async function readResource(runner: Runner, id: string, props: Bag): Promise<ReadResult> {
  const { definition } = runner;
  if (definition.onlyQueries) return { id, props, inputs: props };
  const { __provider, ...rest } = props;
  const { inputs, isWhole } = checkedInputs(definition, id, rest);
  const { key, config } = partsOf(definition, inputs);
  const want = isWhole ? config : undefined;
  const { facts, notes: observed } = await runner.run("read", inputs, undefined, (change) =>
    runner.submit("read", inputs, {
      facts: [...definition.facts(key, want), ...change.facts, ...(definition.computed?.facts(key) ?? [])],
      mayBeRecent: true,
      // An error inside the plan gets the words of the host's other errors.
      plan: (facts) => ({ steps: [], notes: observe(runner, facts, change, inputs, want) }),
      observe: () => undefined,
      verify: () => undefined,
    }),
  );
  if (!observed) return {};
  const { have, flaw } = observed;
  const kept = clean({
    ...inputs,
    ...have,
    ...recordOutput(flaw === "missing" && flaw),
    ...(__provider === undefined ? {} : { __provider }),
  });
  const outputs = {
    ...computedOutputs(definition, facts, inputs),
    ...recordOutput(hasRecordState(props, "adopted") && "adopted", flaw),
  };
  return { id: runner.idOf(inputs), props: clean({ ...kept, ...outputs }), inputs: kept };
}

/** Returns the inputs that are in the outputs of a resource. `get` gives the identity only, which is not whole. */
function checkedInputs(definition: Definition, id: string, props: Bag): { inputs: Bag; isWhole: boolean } {
  const given = without(props, [...engineOutputs, ...Object.keys(computedIn(definition, props))]);
  const checked = checkInputs(definition, given);
  if (checked.problems.length === 0) return { inputs: checked.inputs, isWhole: true };
  const { inputs, problems } = checkIdentity(definition, given);
  if (problems[0]) throw new Error(`cannot read ${id}: ${problems[0].path} ${problems[0].reason}`);
  return { inputs, isWhole: false };
}

/** Returns the state and what is wrong with its record. Returns undefined if nothing is there, now or after a reboot. */
function observe(
  runner: Runner,
  facts: Facts,
  change: Change,
  inputs: Bag,
  want: Bag | undefined,
): Observed | undefined {
  const { definition } = runner;
  const key = keyOf(definition, inputs);
  const have = definition.read(facts, key, want) as Bag | undefined;
  if (inputs.owner === noOwner) return have && { have, flaw: false };
  if (!have) return change.declares(facts) ? { have: { [gone]: true }, flaw: false } : undefined;
  if (!isDeepStrictEqual(have, want)) return { have, flaw: "stale" };
  const view = { facts, owner: runner.owner(inputs), persist: inputs.persist !== false };
  return { have, flaw: !isRecorded(change, view) && "missing" };
}

/** Returns the computed outputs of a resource. */
export const computedOutputs = (definition: Definition, facts: Facts, inputs: Bag): Bag => {
  const { key, config } = partsOf(definition, inputs);
  return { ...definition.computed?.read(facts, key, config), ...sharers(facts, definition, inputs) };
};
