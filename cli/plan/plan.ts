import { Engine } from "../../providers/engine/engine.js";
import { missing } from "../../providers/engine/flags.js";
import { type Bag, connectionOf, hasUnknown, partsOf } from "../../providers/engine/inputs.js";
import { engines } from "../../providers/engines.js";
import { verbsOf } from "../../providers/provider.js";
import { type Entry, titleOf } from "../../rollback/deployment.js";
import type { Done, Job } from "../../src/host/batch.js";
import { hostLabel } from "../../src/ssh/connection.js";
import { DeclaredFacts } from "./declared-facts.js";
import { DeclaredHost } from "./declared-host.js";
import { type Line, linesOf, type Undo, undoOf } from "./lines.js";
import { type Preview, type PreviewStep, unknownIn } from "./preview.js";

/** What `up` does for one resource on its host. */
export interface PlannedChange {
  readonly host: string;
  readonly op: "create" | "update" | "delete";
  /** `RealServer web-web2` */
  readonly resource: string;
  readonly urn: string;
  readonly lines: readonly Line[];
  /** What else is run if the change is undone, such as the servers that a deleted service took along. */
  readonly undo: readonly Undo[];
  /** Seconds that a server drains at most. */
  readonly drains?: number;
  /** Properties that only the update computes. Then the lines are not known before. */
  readonly unknown?: readonly string[];
  /** Why `up` would refuse the change. */
  readonly refused?: string;
  /** True for a probe, which sends requests and changes nothing. */
  readonly probes?: true;
}

const unknownHost = "host not known before the update";

const ops: Readonly<Record<string, PlannedChange["op"]>> = {
  create: "create",
  "create-replacement": "create",
  update: "update",
  delete: "delete",
  "delete-replaced": "delete",
};

const kindOf = ({ type }: Entry): string => type.split(":").at(-1) ?? "";
const labelOf = (bag: Bag): string =>
  hasUnknown([bag.connection === undefined, connectionOf(bag)?.host, connectionOf(bag)?.port])
    ? unknownHost
    : hostLabel(connectionOf(bag));

/** The draft of the change that is being planned. */
interface Draft {
  lines: Line[];
  undo: Undo[];
  waits: boolean;
}

/** Runs the engine of the resources on hosts that exist in memory only, and notes the lines. */
class Planner {
  readonly #hosts = new Map<string, { host: DeclaredHost; facts: DeclaredFacts }>();
  #draft: Draft = { lines: [], undo: [], waits: false };
  #now = 0;

  /** Returns new engines by kind, all on the same hosts. Probes have none. */
  engines(): Map<string, Engine> {
    const time = {
      now: () => this.#now,
      // A wait in a plan takes no time.
      pause: async () => {
        this.#now += 1000;
      },
      print: () => undefined,
    };
    const find = (_: unknown, label: string) => ({
      submit: <Notes>(job: Job<Notes>) => this.#submit(label, job),
    });
    return new Map(
      [...engines]
        .filter(([, { definition }]) => definition.record)
        .map(([kind, { definition }]) => [kind, new Engine(definition, find as never, time)]),
    );
  }

  async #submit<Notes>(label: string, job: Job<Notes>): Promise<Done<Notes>> {
    const host = new DeclaredHost();
    const at = this.#hosts.get(label) ?? { host, facts: new DeclaredFacts(host) };
    this.#hosts.set(label, at);
    const { steps, notes } = job.plan(at.facts);
    // The start of a drain reads the clock, and nothing else does.
    if (job.facts.includes("clock")) this.#draft.waits = true;
    this.#draft.lines.push(...linesOf(steps));
    this.#draft.undo.push(...undoOf(steps));
    for (const { run } of steps) at.host.apply(run);
    return { facts: at.facts, notes };
  }

  /** Runs an operation, and returns what it noted. */
  async draft(run: () => Promise<unknown>): Promise<Draft & { refused?: string }> {
    const draft: Draft = { lines: [], undo: [], waits: false };
    this.#draft = draft;
    try {
      await run();
      return draft;
    } catch (error) {
      return { ...draft, refused: (error as Error).message };
    }
  }
}

/** Returns the lines that `up` runs for a preview, in their order. It connects to no host. */
export async function planOf({ steps, before }: Preview): Promise<PlannedChange[]> {
  const planner = new Planner();
  const first = planner.engines();
  for (const entry of before) {
    const bag = { ...entry.inputs, ...entry.outputs } as Bag;
    const isThere = bag[missing] === undefined && !hasUnknown(bag);
    if (isThere) await planner.draft(async () => first.get(kindOf(entry))?.create(bag));
  }
  const ours = planner.engines();
  for (const { newState, oldState } of steps) {
    const engine = newState && ours.get(kindOf(newState));
    if (!engine || newState.external) continue;
    const [olds, news] = [(oldState?.outputs ?? {}) as Bag, (newState.inputs ?? {}) as Bag];
    engine.declared.declare(olds, news);
    if (oldState) engine.declared.stay(news, olds.owner ?? news.owner);
  }
  const deleted = new Set(steps.filter(({ op }) => op === "delete").map(({ urn }) => urn));
  const made = new Map();
  const verbs = new Map([...ours].map(([kind, engine]) => [kind, { engine, ...verbsOf(engine, made) }]));
  const changes: PlannedChange[] = [];
  for (const step of steps) {
    const op = ops[step.op];
    if (!op || isSkipped(step, op, deleted)) continue;
    const entry = (op === "delete" ? step.oldState : step.newState) as Entry;
    const olds = (step.oldState?.outputs ?? step.oldState?.inputs ?? {}) as Bag;
    const inputs = (op === "delete" ? olds : (entry.inputs ?? {})) as Bag;
    const base = { host: labelOf(inputs), op, resource: titleOf(step.urn), urn: step.urn };
    const kind = verbs.get(kindOf(entry));
    if (!kind) {
      if (op !== "delete" && engines.has(kindOf(entry)))
        changes.push({ ...base, lines: [], undo: [], probes: true });
      continue;
    }
    const { key, config } = partsOf(kind.engine.definition, inputs);
    const unknown = unknownIn({
      ...key,
      ...config,
      connection: [base.host === unknownHost, inputs.connection],
    });
    if (unknown.length > 0) {
      changes.push({ ...base, lines: [], undo: [], unknown });
      continue;
    }
    const { lines, undo, waits, refused } = await planner.draft(() =>
      op === "create"
        ? kind.create(inputs)
        : op === "update"
          ? kind.update(step.oldState?.id ?? "", olds, inputs)
          : kind.delete(step.oldState?.id ?? "", olds),
    );
    const { timeout } = (inputs.drain ?? {}) as { timeout?: number };
    if (lines.length === 0 && refused === undefined) continue;
    changes.push({
      ...base,
      ...{ lines, undo },
      ...(waits && timeout !== undefined ? { drains: timeout } : {}),
      ...(refused === undefined ? {} : { refused }),
    });
  }
  return changes;
}

/** Returns whether Pulumi deletes a resource in its state only. */
const isSkipped = (
  { oldState }: PreviewStep,
  op: PlannedChange["op"],
  deleted: ReadonlySet<string>,
): boolean =>
  op === "delete" &&
  (oldState?.retainOnDelete === true || (oldState?.deletedWith ? deleted.has(oldState.deletedWith) : false));
