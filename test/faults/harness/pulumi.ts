import { isDeepStrictEqual } from "node:util";
import { type Bag, clean } from "../../../providers/engine/inputs.js";
import type { Goal } from "./program.js";

/*
 * What Pulumi's engine does with resources, as far as a fault can tell: order, what is called, and what is kept in state.
 * model.test.ts compares it with the real CLI. It is in rounds, as scripts on a host are: what may run side by side begins
 * together, and what comes next begins when all of that has ended. Functions of values, so that a run can be taken up anywhere.
 */

/** A resource in state. */
interface Kept {
  readonly name: string;
  readonly kind: string;
  readonly id: string;
  readonly inputs: Bag;
  readonly outputs: Bag;
  readonly dependencies: readonly string[];
  /** It is there, but not as it should be. */
  readonly initErrors?: true;
  /** Its successor is there; it is to be deleted. */
  readonly delete?: true;
}

export interface State {
  readonly resources: readonly Kept[];
  /** What had begun and never ended. */
  readonly pending: readonly string[];
}

export const nothing: State = { resources: [], pending: [] };

/** What a provider is asked to do. */
export type Call = { readonly name: string; readonly kind: string } & (
  | { readonly verb: "create"; readonly inputs: Bag; readonly replaces?: true }
  | { readonly verb: "update"; readonly inputs: Bag; readonly old: Kept }
  | { readonly verb: "delete"; readonly old: Kept }
  | { readonly verb: "read"; readonly old: Kept }
);

/** What it answered. */
export type Answer =
  | { readonly ok: { id?: string; outs?: Bag; props?: Bag; inputs?: Bag } }
  | { readonly error: unknown };

/** Pure parts of a provider. */
export interface Pure {
  check(kind: string, inputs: Bag): Bag;
  diff(kind: string, old: Kept, inputs: Bag): { changes?: boolean; replaces?: string[] };
}

/** How far an update has come. */
export interface Progress {
  readonly state: State;
  readonly goals: readonly Goal[];
  /** Names of goals that have been seen to. */
  readonly done: readonly string[];
  /** Why nothing new begins. */
  readonly ended?: "failed" | "interrupted";
}

export const begin = (state: State, goals: readonly Goal[]): Progress => ({
  // what was under way when a run was killed is told of and forgotten, but for what may have been created
  state: { ...state, pending: state.pending.filter((one) => one.startsWith("creating ")) },
  goals,
  done: [],
});

const same = (a: { name: string; kind: string }, b: { name: string; kind: string }) =>
  a.name === b.name && a.kind === b.kind;

/** The calls that begin together now; none when the update is over. What needs no call is seen to on the way. */
export function nextRound(progress: Progress, pure: Pure): { progress: Progress; calls: readonly Call[] } {
  let now = progress;
  if (now.ended) return { progress: now, calls: [] };
  for (;;) {
    const ready = now.goals.filter(
      ({ name, dependencies }) =>
        !now.done.includes(name) && dependencies.every((dependency) => now.done.includes(dependency)),
    );
    const calls: Call[] = [];
    const unchanged: string[] = [];
    for (const goal of ready) {
      const { name, kind } = goal;
      const inputs = pure.check(kind, goal.inputs);
      const old = now.state.resources.find((one) => same(one, goal) && !one.delete);
      if (!old) {
        calls.push({ verb: "create", name, kind, inputs });
        continue;
      }
      const { changes, replaces = [] } = pure.diff(kind, old, inputs);
      if (replaces.length > 0) calls.push({ verb: "create", name, kind, inputs, replaces: true });
      else if (old.initErrors || (changes ?? !isDeepStrictEqual(old.inputs, inputs)))
        calls.push({ verb: "update", name, kind, inputs, old });
      else {
        now = put(now, { ...old, inputs, dependencies: goal.dependencies }, old);
        unchanged.push(name);
      }
    }
    now = { ...now, done: [...now.done, ...unchanged] };
    if (calls.length > 0) return { progress: now, calls };
    if (unchanged.length === 0) return { progress: now, calls: deletions(now) };
  }
}

// what is to be deleted and what no other such resource depends on
function deletions({ state, goals }: Progress): Call[] {
  const leaving = state.resources.filter((one) => one.delete || !goals.some((goal) => same(goal, one)));
  return leaving
    .filter((old) => !leaving.some((one) => one !== old && one.dependencies.includes(old.name)))
    .map((old) => ({ verb: "delete", name: old.name, kind: old.kind, old }));
}

/** Takes answers in; state is kept after each. */
export function withAnswers(
  progress: Progress,
  calls: readonly Call[],
  answers: readonly Answer[],
): Progress {
  return calls.reduce((now, call, i) => take(now, call, answers[i] as Answer), progress);
}

function take(now: Progress, call: Call, answer: Answer): Progress {
  const { name, kind } = call;
  const failed: Progress = { ...now, ended: "failed" };
  const old = "old" in call ? call.old : undefined;
  if (call.verb === "read") {
    if ("error" in answer) return failed;
    if (answer.ok.id === undefined) return drop(now, call.old);
    const { initErrors: _, ...rest } = call.old;
    const { id, props = {}, inputs = {} } = answer.ok;
    return put(now, { ...rest, id, outputs: clean(props), inputs: clean(inputs) }, old);
  }
  if (call.verb === "delete") return "error" in answer ? failed : drop(now, call.old);
  const dependencies = now.goals.find((goal) => same(goal, call))?.dependencies ?? [];
  const replaced =
    call.verb === "create" && call.replaces
      ? now.state.resources.find((one) => same(one, call) && !one.delete)
      : undefined;
  const marked = replaced ? put(now, { ...replaced, delete: true }, replaced) : now;
  if ("error" in answer) {
    const half = answer.error as { id?: string; properties?: Bag };
    if (!half.id) return failed;
    const outputs = clean(half.properties ?? {});
    // what was made is there now; what was changed keeps the inputs that it was last known to have
    const inputs = old ? old.inputs : call.inputs;
    const kept: Kept = { name, kind, id: half.id, inputs, outputs, dependencies, initErrors: true };
    return { ...put(marked, kept, old), ended: "failed" };
  }
  const kept = {
    name,
    kind,
    id: old?.id ?? (answer.ok.id as string),
    inputs: call.inputs,
    outputs: clean(answer.ok.outs ?? {}),
    dependencies,
  };
  const next = put(marked, kept, old);
  return { ...next, done: [...next.done, name] };
}

function put(now: Progress, kept: Kept, old: Kept | undefined): Progress {
  const rest = now.state.resources.filter((one) => one !== old);
  return { ...now, state: { ...now.state, resources: [...rest, kept] } };
}

const drop = (now: Progress, old: Kept): Progress => ({
  ...now,
  state: { ...now.state, resources: now.state.resources.filter((one) => one !== old) },
});

const underway = { create: "creating", update: "updating", delete: "deleting", read: "reading" };

/** State as it is found when the process was killed while these calls were under way. */
export const killed = ({ state }: Progress, calls: readonly Call[]): State => ({
  ...state,
  pending: [...state.pending, ...calls.map(({ verb, kind, name }) => `${underway[verb]} ${kind} ${name}`)],
});

/** What `pulumi refresh` asks for; it goes on with `--clear-pending-creates`. */
export const lookAgain = (state: State): { progress: Progress; calls: readonly Call[] } => ({
  progress: { state: { ...state, pending: [] }, goals: [], done: [] },
  calls: state.resources.map((old) => ({ verb: "read", name: old.name, kind: old.kind, old })),
});

/** State with nothing of chance in it. */
export const canonical = ({ resources, pending }: State): string =>
  JSON.stringify(
    sorted({
      resources: [...resources].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
      pending: [...pending].sort(),
    }),
  );

const keyOf = ({ name, kind, delete: gone, id }: Kept) => `${name} ${kind} ${gone ? "old" : ""} ${id}`;

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, part]) => [name, sorted(part)]),
  );
}
