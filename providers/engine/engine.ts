import { HostError, OutcomeUnknownError } from "../../src/errors.js";
import type { Done } from "../../src/host/job.js";
import { RollbackFailedError } from "../../src/host/rollback-failed-error.js";
import { hostLabel } from "../../src/ssh/connection.js";
import type { Change, Verb } from "./change.js";
import { clock } from "./clock.js";
import { refuseConflicts } from "./conflicts.js";
import type { Declarations } from "./declarations.js";
import type { Definition } from "./define.js";
import { isEqual, unlike } from "./difference.js";
import { failuresOf } from "./failures.js";
import { hasRecordState, isGone, isWhole, recordOutput, sharedWith } from "./flags.js";
import { HalfDoneError, readAfterFailure } from "./half-done.js";
import {
  type Bag,
  checkInputs,
  clean,
  computedIn,
  connectionOf,
  isOtherHost,
  isShared,
  partsOf,
} from "./inputs.js";
import { KeyedMutex } from "./keyed-mutex.js";
import { Program } from "./program.js";
import { computedOutputs, type ReadResult, readResource } from "./read.js";
import { type FindHost, Runner } from "./runner.js";

/** The common inputs that an update may change. */
const common = ["connection", "persist"];

/** What Pulumi calls for a kind of resource. Check and diff are pure. */
export class Engine {
  readonly definition: Definition;
  readonly declared: Declarations;
  readonly #runner: Runner;
  readonly #mutex = new KeyedMutex();
  readonly #program: Program;

  /** `program` has the declarations of all kinds. */
  constructor(definition: Definition, findHost: FindHost, time = clock, program = new Program()) {
    this.definition = definition;
    this.#program = program;
    this.declared = program.of(definition);
    this.#runner = new Runner(definition, findHost, time, program);
  }

  /** Notes what a checked resource declares, and its parts. Returns an error if another resource declares it, too. */
  declare(olds: Bag, inputs: Bag): string | undefined {
    return this.#program.declare(this.definition, olds, inputs);
  }

  check(_olds: Bag, news: Bag) {
    const { inputs, problems } = checkInputs(this.definition, news);
    return {
      inputs: { ...inputs, ...(news.__provider === undefined ? {} : { __provider: news.__provider }) },
      failures: failuresOf(problems, news),
    };
  }

  /**
   * Returns how the old inputs become the new ones. Sets `changes: true` only if no property differs, so
   * that Pulumi shows each change by its property.
   */
  diff(_id: string, olds: Bag, news: Bag) {
    const [was, is] = [partsOf(this.definition, olds), partsOf(this.definition, news)];
    const otherHost = isOtherHost(olds, news);
    const replaces = [...unlike(was.key, is.key), ...(otherHost ? ["connection"] : [])];
    const same = common.every((name) => isEqual(olds[name], news[name])) && isShared(olds) === isShared(news);
    // Pulumi shows these by the inputs that refresh wrote.
    const isShown = isGone(olds) || hasRecordState(olds, "missing");
    if (replaces.length === 0 && same && !isShown && unlike(was.config, is.config).length === 0)
      return { changes: !isWhole(olds) };
    // The host may be the same machine by another name. Creating first would find the old entry there, and
    // deleting the old one would then remove it.
    return { replaces, deleteBeforeReplace: otherHost };
  }

  async create(inputs: Bag) {
    const { facts, notes } = await this.#change("create", inputs);
    const outs = {
      ...inputs,
      ...computedOutputs(this.definition, facts, inputs),
      ...recordOutput(notes?.isAdopted === true && "adopted"),
    };
    return { id: this.#runner.idOf(inputs), outs: clean(outs) };
  }

  async update(_id: string, olds: Bag, news: Bag) {
    const owner = olds.owner ?? news.owner;
    const [was, want] = [olds, news].map((bag) => partsOf(this.definition, bag).config);
    const onlyConnection =
      isWhole(olds) &&
      isEqual(was, want) &&
      olds.persist === news.persist &&
      isShared(olds) === isShared(news) &&
      !isEqual(olds.connection, news.connection);
    const kept = { ...computedIn(this.definition, olds), [sharedWith]: olds[sharedWith] };
    if (onlyConnection) return { outs: clean({ ...news, owner, ...kept }) };
    const mine = { ...news, owner };
    const { facts } = await this.#change("update", mine, olds);
    return { outs: clean({ ...mine, ...computedOutputs(this.definition, facts, mine) }) };
  }

  async delete(_id: string, props: Bag) {
    await this.#change("delete", props);
  }

  read(id: string, props: Bag): Promise<ReadResult> {
    return readResource(this.#runner, id, props);
  }

  #change(verb: Verb, inputs: Bag, olds?: Bag): Promise<Done<{ isAdopted: boolean }>> {
    const change = () => this.#runner.run(verb, inputs, olds, (made) => this.#make(verb, inputs, olds, made));
    return this.definition.shareable ? this.#mutex.run(this.#runner.idOf(inputs), change) : change();
  }

  async #make(verb: Verb, inputs: Bag, olds: Bag | undefined, change: Change) {
    const { definition } = this;
    const { key, config } = partsOf(definition, inputs);
    const was = olds && partsOf(definition, olds).config;
    const owner = this.#runner.owner(inputs);
    const guarded = verb !== "delete" && definition.conflicts?.(key);
    try {
      return await this.#runner.submit(verb, inputs, {
        facts: [
          ...definition.facts(key, config),
          ...(definition.computed?.facts(key) ?? []),
          ...(was ? definition.facts(key, was) : []),
          ...change.facts,
          ...(guarded ? (["conflicts"] as const) : []),
        ],
        plan: (facts) => {
          if (guarded) refuseConflicts(facts, inputs, guarded);
          const steps = change.plan(verb, { facts, owner, was, persist: inputs.persist !== false });
          return { steps, notes: { isAdopted: verb === "create" && change.adopts(facts) } };
        },
        observe: change.observe,
        verify: (facts) => {
          const why = change.mismatch(verb, facts);
          // A change whose outputs cannot be read fails, too, and is undone like others.
          if (why === undefined && verb !== "delete") computedOutputs(definition, facts, inputs);
          return why;
        },
      });
    } catch (error) {
      const { cause, message } = error as Error;
      // A failed create may have left the resource on the host. State keeps it, so that `up` can finish it
      // and `destroy` can remove it.
      const isNew =
        verb === "create" && (cause instanceof RollbackFailedError || cause instanceof OutcomeUnknownError);
      // Without a record, state keeps what was before, so the next update goes on.
      const now =
        cause instanceof RollbackFailedError &&
        verb !== "delete" &&
        definition.record &&
        readAfterFailure(definition, cause.facts, key, config);
      if (!isNew && !now) throw error;
      throw new HalfDoneError(this.#runner.idOf(inputs), { ...inputs, ...(now || {}) }, inputs, message);
    }
  }

  /** Returns the error for a thing that another resource has created in this run. */
  declaredTwice(inputs: Bag, other: unknown): Error {
    const why = `it is declared twice: by ${other} and by ${inputs.owner}`;
    const host = hostLabel(connectionOf(inputs));
    const refusal = new HostError(host, why, "take one of them out of the program");
    return this.#runner.failure("create", inputs, refusal);
  }

  /**
   * Returns a thing's name. After a create under it in this run, an older resource must not delete it. Claims of
   * several owners are different things, and so are equal resources that have nothing on a host.
   */
  thing(inputs: Bag): string {
    return this.definition.setting || !this.definition.record || isShared(inputs)
      ? this.#runner.owner(inputs)
      : this.#runner.idOf(inputs);
  }
}
