import type { Made } from "../../../providers/provider.js";
import {
  type Batch,
  type Done,
  each,
  type Images,
  type Machine,
  machines,
  pure,
  remembered,
} from "./machines.js";
import type { Goal } from "./program.js";
import {
  type Answer,
  begin,
  type Call,
  lookAgain,
  nextRound,
  type Progress,
  type State,
  withAnswers,
} from "./pulumi.js";

/** Machines, and what Pulumi thinks of them. */
export interface World {
  readonly images: Images;
  readonly state: State;
}

/** Calls that began together, what they began from, and what came of them. */
export interface Round {
  readonly progress: Progress;
  readonly images: Images;
  readonly made: Record<Machine, Made>;
  readonly calls: readonly Call[];
  readonly done: Readonly<Record<Machine, Done | undefined>>;
}

/** An update: its rounds, and how it ended. */
export interface Update extends World {
  readonly rounds: readonly Round[];
  /** What was thrown; none when all went well. */
  readonly errors: readonly unknown[];
}

export const machineOf = (call: Call): Machine => {
  const bag = ("inputs" in call ? call.inputs : call.old.outputs) as { connection: { host: Machine } };
  return bag.connection.host;
};

export const callsOf = (machine: Machine, calls: readonly Call[]): Call[] =>
  calls.filter((call) => machineOf(call) === machine);

/** The answers of all machines in the order of the calls. */
export const inOrder = (
  calls: readonly Call[],
  answersOf: (machine: Machine) => readonly Answer[],
): Answer[] => {
  const at = each(() => 0);
  return calls.map((call) => {
    const machine = machineOf(call);
    return answersOf(machine)[at[machine]++] as Answer;
  });
};

export const batchOf = (round: Pick<Round, "images" | "made" | "calls">, machine: Machine): Batch => ({
  machine,
  image: round.images[machine],
  calls: callsOf(machine, round.calls),
  made: round.made[machine],
});

async function perform(
  at: Pick<Round, "images" | "made" | "calls">,
): Promise<Record<Machine, Done | undefined>> {
  const all = await Promise.all(
    machines.map((machine) => {
      const batch = batchOf(at, machine);
      return batch.calls.length > 0 ? remembered(batch) : undefined;
    }),
  );
  return each((machine) => all[machines.indexOf(machine)]);
}

/** `pulumi up`; with no goals, `pulumi destroy`. */
export async function up(world: World, goals: readonly Goal[]): Promise<Update> {
  let progress = begin(world.state, goals);
  let images = world.images;
  let made: Record<Machine, Made> = each(() => new Map());
  const rounds: Round[] = [];
  const errors: unknown[] = [];
  for (;;) {
    const next = nextRound(progress, pure);
    if (next.calls.length === 0) return { rounds, images, state: next.progress.state, errors };
    const done = await perform({ images, made, calls: next.calls });
    rounds.push({ progress: next.progress, images, made, calls: next.calls, done });
    const answers = inOrder(next.calls, (machine) => done[machine]?.answers ?? []);
    errors.push(...answers.flatMap((answer) => ("error" in answer ? [answer.error] : [])));
    progress = withAnswers(next.progress, next.calls, answers);
    const [was, had] = [images, made];
    images = each((machine) => done[machine]?.image ?? was[machine]);
    made = each((machine) => done[machine]?.made ?? had[machine]);
  }
}

/** `pulumi refresh --clear-pending-creates`. */
export async function refresh({ images, state }: World): Promise<World & { errors: readonly unknown[] }> {
  const { progress, calls } = lookAgain(state);
  const done = await perform({ images, made: each(() => new Map()), calls });
  const answers = inOrder(calls, (machine) => done[machine]?.answers ?? []);
  const after = withAnswers(progress, calls, answers);
  const errors = answers.flatMap((answer) => ("error" in answer ? [answer.error] : []));
  return { images: each((machine) => done[machine]?.image ?? images[machine]), state: after.state, errors };
}
