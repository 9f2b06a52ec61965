import type { PreviewStep } from "../../../cli/plan/preview.js";
import type { Definition } from "../../../providers/engine/define.js";
import { Engine } from "../../../providers/engine/engine.js";
import type { Bag } from "../../../providers/engine/inputs.js";
import { Program } from "../../../providers/engine/program.js";
import { verbsOf } from "../../../providers/provider.js";
import type { Entry } from "../../../rollback/deployment.js";
import type { Goal } from "../../faults/harness/program.js";
import { definitions } from "./definitions.js";
import { FakeClock } from "./fake-clock.js";
import type { FakeHost } from "./fake-host.js";

// What Pulumi's engine makes of a program, in the order of its steps, and the same steps on fake hosts.

const byKind = new Map([...definitions.values()].map((one) => [one.kind, one as Definition]));

/** The resources of a run of the program on these hosts. */
class Run {
  readonly #engines: ReadonlyMap<string, Engine>;

  constructor(hosts: ReadonlyMap<string, FakeHost>, meanwhile?: Meanwhile) {
    const program = new Program();
    const find = (_: unknown, label: string) => (hosts.get(label) as FakeHost).host;
    this.#engines = new Map(
      [...byKind]
        .filter(([, { onlyQueries }]) => !onlyQueries)
        .map(([kind, one]) => [
          kind,
          new Engine(one, find as never, new FakeClock([...hosts.values()][0], meanwhile), program),
        ]),
    );
  }

  of(kind: string): Engine {
    return this.#engines.get(kind) as Engine;
  }

  verbs(): Map<string, ReturnType<typeof verbsOf>> {
    const made = new Map();
    return new Map([...this.#engines].map(([kind, engine]) => [kind, verbsOf(engine, made)]));
  }
}

/** What happens in each second of a wait. */
type Meanwhile = ConstructorParameters<typeof FakeClock>[1];

/** A stack on fake hosts. */
export class FakeStack {
  entries: Entry[] = [];
  readonly #hosts: ReadonlyMap<string, FakeHost>;
  readonly #meanwhile: Meanwhile;

  constructor(hosts: ReadonlyMap<string, FakeHost>, meanwhile?: Meanwhile) {
    this.#hosts = hosts;
    this.#meanwhile = meanwhile;
  }

  /** Returns the steps that `pulumi preview` has for a program. */
  preview(goals: readonly Goal[]): PreviewStep[] {
    const run = new Run(this.#hosts, this.#meanwhile);
    const urnOf = ({ kind, name }: Goal) =>
      `urn:pulumi:stack::project::pulumi-nodejs:dynamic/lvs:${kind}::${name}`;
    const steps: PreviewStep[] = [];
    const replaced: PreviewStep[] = [];
    for (const goal of goals) {
      const urn = urnOf(goal);
      const engine = run.of(goal.kind);
      const oldState = this.entries.find((entry) => entry.urn === urn);
      const { inputs, failures } = engine.check(oldState?.inputs ?? {}, goal.inputs);
      if (failures[0]) throw new Error(`${goal.name}: ${failures[0].property} ${failures[0].reason}`);
      const newState = { urn, type: `pulumi-nodejs:dynamic/lvs:${goal.kind}`, inputs } as Entry;
      const states = { urn, newState, ...(oldState ? { oldState } : {}) };
      if (!oldState) {
        steps.push({ op: "create", ...states });
        continue;
      }
      const found: { changes?: boolean; replaces?: string[]; deleteBeforeReplace?: boolean } = engine.diff(
        "",
        oldState.outputs as Bag,
        inputs,
      );
      if (found.changes === false) steps.push({ op: "same", ...states });
      else if (!found.replaces?.length) steps.push({ op: "update", ...states });
      else {
        const gone = { op: "delete-replaced", urn, oldState };
        if (found.deleteBeforeReplace) steps.push(gone);
        else replaced.push(gone);
        steps.push({ op: "create-replacement", ...states });
      }
    }
    const urns = new Set(goals.map(urnOf));
    const gone = this.entries
      .filter(({ urn }) => !urns.has(urn))
      .map((oldState) => ({ op: "delete", urn: oldState.urn, oldState }));
    const order = (step: PreviewStep) => this.entries.findIndex(({ urn }) => urn === step.urn);
    return [...steps, ...[...replaced, ...gone].sort((a, b) => order(b) - order(a))];
  }

  /** Reads all resources into the state, as `pulumi refresh` does. */
  async refresh(): Promise<void> {
    const run = new Run(this.#hosts, this.#meanwhile);
    const found = this.entries.map(async (entry) => {
      const { props, inputs } = await run
        .of(entry.type.split(":").at(-1) as string)
        .read(entry.id as string, entry.outputs as Bag);
      return props ? [{ ...entry, inputs, outputs: props } as Entry] : [];
    });
    this.entries = (await Promise.all(found)).flat();
  }

  /** Runs the steps, and keeps the state. Returns the commands that changed a host, by its label. */
  async up(steps: readonly PreviewStep[]): Promise<Map<string, string[]>> {
    const run = new Run(this.#hosts, this.#meanwhile);
    const verbs = run.verbs();
    const before = new Map([...this.#hosts].map(([label, fake]) => [label, fake.changes().length]));
    for (const { newState, oldState } of steps) {
      if (!newState) continue;
      const kind = newState.type.split(":").at(-1) as string;
      const [olds, news] = [(oldState?.outputs ?? {}) as Bag, newState.inputs as Bag];
      run.of(kind).declare(olds, news);
      if (oldState) run.of(kind).declared.noteKept(news, olds.owner);
    }
    const deleted = new Set(steps.filter(({ op }) => op === "delete").map(({ urn }) => urn));
    const keep = (urn: string, entry?: Entry) => {
      this.entries = [...this.entries.filter((one) => one.urn !== urn), ...(entry ? [entry] : [])];
    };
    for (const { op, urn, oldState, newState } of steps) {
      const type = (newState ?? oldState)?.type ?? "";
      const kind = verbs.get(type.split(":").at(-1) as string) as ReturnType<typeof verbsOf>;
      if (op === "create" || op === "create-replacement") {
        const { id, outs } = await kind.create(newState?.inputs as Bag);
        keep(urn, { ...(newState as Entry), id, outputs: outs });
      } else if (op === "update") {
        const { outs } = await kind.update("", oldState?.outputs as Bag, newState?.inputs as Bag);
        keep(urn, { ...(newState as Entry), id: oldState?.id as string, outputs: outs });
      } else if (op !== "same") {
        if (!oldState?.deletedWith || !deleted.has(oldState.deletedWith))
          await kind.delete("", oldState?.outputs as Bag);
        if (op === "delete") keep(urn);
      }
    }
    await Promise.all([...this.#hosts.values()].map((fake) => fake.newRun()));
    return new Map([...this.#hosts].map(([label, fake]) => [label, fake.changes().slice(before.get(label))]));
  }
}
