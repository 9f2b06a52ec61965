import type { Bag } from "../../../providers/engine/inputs.js";
import { partsOf } from "../../../providers/engine/inputs.js";
import { textOf } from "../../support/fake/tree.js";
import type { Fault } from "./kinds.js";
import { booted, type Done, each, type Images, machines, pure, run } from "./machines.js";
import { definitionOf, type Goal } from "./program.js";
import { type Call, canonical, killed, type State, withAnswers } from "./pulumi.js";
import { properties, quiesced, thing, traces } from "./raw.js";
import { batchOf, callsOf, inOrder, machineOf, refresh, type Update, up, type World } from "./update.js";

/** An update that faults strike, and how it goes without one. */
export interface Scenario {
  readonly start: World;
  readonly goals: readonly Goal[];
  readonly reference: Update;
}

export async function scenario(start: World, goals: readonly Goal[]): Promise<Scenario> {
  const reference = await up(start, goals);
  if (reference.errors[0]) throw reference.errors[0];
  return { start, goals, reference };
}

/** Lets one fault strike, and throws where anything is not as promised. False where it did not come to pass. */
export async function survive({ start, goals, reference }: Scenario, fault: Fault): Promise<boolean> {
  const { round, machine } = fault;
  const struck = await run(batchOf(round, machine), fault.mishap);
  if (fault.needsUndo && struck.commands.undo === 0) return false;
  const after = aftermath(fault, struck);
  neverBetween(fault, struck, resourcesOf(start, goals));
  // what was never answered cannot be known
  if (!printed(struck, /before the host had answered/)) carries(after);

  if (after.state.resources.some(({ initErrors }) => initErrors)) await goesOn(after, goals, reference);
  if (!fault.with) await destroyed(after, "after destroying what was left at once");

  const again = await up(fault.with === "kill" || fault.with === "reboot" ? await seen(after) : after, goals);
  if (again.errors[0]) throw new Error(`the next up failed: ${(again.errors[0] as Error).message}`);
  alike(again.images, reference.images, "after the next up");
  const [have, wanted] = [again.state, reference.state].map((state) => canonical(unreported(state))) as [
    string,
    string,
  ];
  if (have !== wanted) throw new Error(`state differs: ${differences(have, wanted, ",")}`);
  await destroyed(again, "after destroy");
  return true;
}

const printed = ({ answers }: Done, words: RegExp): boolean =>
  Object.values(answers).some(
    (answer) => answer !== undefined && "error" in answer && words.test((answer.error as Error).message),
  );

async function destroyed(world: World, when: string): Promise<void> {
  const gone = await up(world, []);
  if (gone.errors[0]) throw new Error(`destroy failed: ${(gone.errors[0] as Error).message}`);
  alike(gone.images, booted, when);
}

/** What is half done may be looked at again before it is mended. */
async function goesOn(world: World, goals: readonly Goal[], reference: Update): Promise<void> {
  const again = await up(await seen(world), goals);
  if (again.errors[0]) throw new Error(`up after refresh failed: ${(again.errors[0] as Error).message}`);
  alike(again.images, reference.images, "after refresh and up");
}

async function seen(world: World): Promise<World> {
  const { errors, ...after } = await refresh(world);
  if (errors[0]) throw new Error(`refresh failed: ${(errors[0] as Error).message}`);
  return after;
}

/** Machines and state once all has come to rest. */
function aftermath({ round, machine, with: also, place }: Fault, struck: Done): World {
  const images = each((one) => (one === machine ? struck : round.done[one])?.image ?? round.images[one]);
  const answersOf = (one: string) =>
    (one === machine ? struck : round.done[one as typeof machine])?.answers ?? [];
  if (also !== "kill") {
    const { state } = withAnswers(round.progress, round.calls, inOrder(round.calls, answersOf));
    return { images, state };
  }
  // what other machines were asked for at the same time had ended, or not
  const others = round.calls.filter((call) => machineOf(call) !== machine);
  const ended = /[02468]$/.test(place) ? others : [];
  const { state } = withAnswers(round.progress, ended, inOrder(ended, answersOf));
  return {
    images,
    state: killed(
      { ...round.progress, state },
      round.calls.filter((call) => !ended.includes(call)),
    ),
  };
}

interface Resource {
  readonly kind: string;
  readonly inputs: Bag;
  readonly machine: string;
}

function resourcesOf({ state }: { state: State }, goals: readonly Goal[]): Resource[] {
  const wanted = goals.map(({ kind, inputs }) => ({ kind, inputs: pure.check(kind, inputs) }));
  return [...wanted, ...state.resources].map(({ kind, inputs }) => ({
    kind,
    inputs,
    machine: (inputs.connection as { host: string }).host,
  }));
}

const idOf = ({ kind, inputs }: { kind: string; inputs: Bag }) => {
  const definition = definitionOf(kind);
  return `${kind} ${definition.id(partsOf(definition, inputs).key)}`;
};

/** Each resource is as before or as after; in between only where a message said that the undo had failed. */
function neverBetween(fault: Fault, struck: Done, resources: readonly Resource[]): void {
  const { round, machine } = fault;
  const calls = callsOf(machine, round.calls);
  const stuck = calls.filter((_, i) => {
    const answer = struck.answers[i];
    return answer && "error" in answer && /this could not be undone/.test((answer.error as Error).message);
  });
  const inputsOf = (call: Call) => ("inputs" in call ? call.inputs : call.old.outputs);
  const reported = new Set(stuck.map((call) => idOf({ kind: call.kind, inputs: inputsOf(call) })));
  for (const resource of resources.filter((one) => one.machine === machine)) {
    const { kind, inputs } = resource;
    const [before, now] = [round.images[machine], struck.image].map((image) => traces(image, kind, inputs));
    const after = traces((round.done[machine] as Done).image, kind, inputs);
    const may = fault.nothing ? [before] : [before, after];
    // where it drains there is a stage between, with a record of it; and a link that is cut then is only one look less
    if (inputs.drain && thing(round.images[machine], kind, inputs).length > 0)
      may.push(quiesced(before as string, inputs), after);
    if (may.includes(now) || reported.has(idOf(resource))) continue;
    throw new Error(`${idOf(resource)} is in between:\n${now}\nbefore:\n${before}\nafter:\n${after}`);
  }
}

/** What is in state as half done is what is there, if anything is. */
function carries({ state, images }: World): void {
  for (const { kind, outputs, initErrors } of state.resources) {
    if (!initErrors) continue;
    const image = images[(outputs.connection as { host: keyof Images }).host];
    const there = properties(image, kind, outputs);
    const fits =
      there.length === 0 ||
      there.some((shown) =>
        Object.entries(shown).every(
          ([name, value]) => JSON.stringify(outputs[name]) === JSON.stringify(value),
        ),
      );
    if (!fits)
      throw new Error(
        `state has ${JSON.stringify(outputs)} of ${kind}, but there is ${thing(image, kind, outputs).join("; ")}`,
      );
  }
}

// what only tells how things went differs with how they went
export const reported = (image: Images[keyof Images]): string =>
  textOf(image).replace(/^run\/pulumi-lvs\/(drained|restored): .*\n/gm, "");

const unreported = (state: State): State => ({
  ...state,
  resources: state.resources.map(({ outputs: { drained: _, ...outputs }, ...rest }) => ({
    ...rest,
    outputs,
  })),
});

export function alike(images: Images, wanted: Images, when: string): void {
  for (const machine of machines) {
    const [have, want] = [reported(images[machine]), reported(wanted[machine])];
    if (have !== want) throw new Error(`${machine} differs ${when}:\n${differences(have, want, "\n")}`);
  }
}

function differences(have: string, want: string, separator: string): string {
  const [a, b] = [have.split(separator), want.split(separator)];
  return [
    ...a.filter((line) => !b.includes(line)).map((line) => `+ ${line}`),
    ...b.filter((line) => !a.includes(line)).map((line) => `- ${line}`),
  ]
    .slice(0, 12)
    .join("\n");
}
