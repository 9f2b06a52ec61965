import { isDeepStrictEqual } from "node:util";
import { HostError, OutcomeUnknownError } from "../../src/errors.js";
import type { Facts } from "../../src/facts/facts.js";
import type { Done, Job } from "../../src/host/batch.js";
import type { Host } from "../../src/host/host.js";
import { RollbackFailedError } from "../../src/host/rollback-failed-error.js";
import { type Connection, hostLabel } from "../../src/ssh/connection.js";
import { type Change, isRecorded, noChange, type Operation, type Verb } from "./change.js";
import { type Clock, clock } from "./clock.js";
import { refuseConflicts } from "./conflicts.js";
import type { Declarations } from "./declarations.js";
import type { Definition } from "./define.js";
import { failuresOf } from "./failures.js";
import { found, gone, isGone, isWhole, type RecordWord, recordSaid, says, sharedWith } from "./flags.js";
import { HalfDoneError, there } from "./half-done.js";
import {
  type Bag,
  checkIdentity,
  checkInputs,
  clean,
  computedIn,
  connectionOf,
  idOf,
  isOtherHost,
  isShared,
  noOwner,
  partsOf,
  plain,
  without,
} from "./inputs.js";
import { objectChange } from "./object.js";
import { inputsOfPart } from "./parts.js";
import { Program } from "./program.js";
import { settingChange } from "./setting.js";
import { sharers } from "./sharing.js";
import { Turns } from "./turns.js";

/** Finds the host of a connection. Tests give a fake one. */
export type FindHost = (connection: Connection, label: string) => Pick<Host, "submit" | "query">;

interface Seen {
  readonly have: Bag;
  readonly flaw: RecordWord | false;
}

/** The common inputs that an update may change. */
const common = ["connection", "persist"];
const reading = { mayBeRecent: true, observe: () => undefined, verify: () => undefined };

/** What Pulumi calls for a kind of resource. Check and diff are pure. */
export class Engine {
  readonly definition: Definition;
  readonly declared: Declarations;
  readonly #findHost: FindHost;
  readonly #clock: Clock;
  readonly #turns = new Turns();
  readonly #program: Program;

  /** `program` has the declarations of all kinds. */
  constructor(definition: Definition, findHost: FindHost, time = clock, program = new Program()) {
    this.definition = definition;
    this.#program = program;
    this.declared = program.of(definition);
    this.#findHost = findHost;
    this.#clock = time;
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
    const unlike = (a: Bag, b: Bag) =>
      Object.keys({ ...a, ...b }).filter((name) => !isDeepStrictEqual(plain(a[name]), plain(b[name])));
    const otherHost = isOtherHost(olds, news);
    const replaces = [...unlike(was.key, is.key), ...(otherHost ? ["connection"] : [])];
    const same =
      common.every((name) => isDeepStrictEqual(plain(olds[name]), plain(news[name]))) &&
      isShared(olds) === isShared(news);
    // Pulumi shows these by the inputs that refresh wrote.
    const isShown = isGone(olds) || says(olds, "missing");
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
      ...this.#computed(facts, inputs),
      ...recordSaid(notes?.isAdopted === true && "adopted"),
    };
    return { id: this.#idOf(inputs), outs: clean(outs) };
  }

  async update(_id: string, olds: Bag, news: Bag) {
    const owner = olds.owner ?? news.owner;
    const [was, want] = [olds, news].map((bag) => plain(partsOf(this.definition, bag).config));
    const onlyConnection =
      isWhole(olds) &&
      isDeepStrictEqual(was, want) &&
      olds.persist === news.persist &&
      isShared(olds) === isShared(news) &&
      !isDeepStrictEqual(plain(olds.connection), plain(news.connection));
    const kept = { ...computedIn(this.definition, olds), [sharedWith]: olds[sharedWith] };
    if (onlyConnection) return { outs: clean({ ...news, owner, ...kept }) };
    const mine = { ...news, owner };
    const { facts } = await this.#change("update", mine, olds);
    return { outs: clean({ ...mine, ...this.#computed(facts, mine) }) };
  }

  async delete(_id: string, props: Bag) {
    await this.#change("delete", props);
  }

  async read(id: string, props: Bag): Promise<{ id?: string; props?: Bag; inputs?: Bag }> {
    if (!this.definition.record) return { id, props, inputs: props };
    const { __provider, ...rest } = props;
    const given = without(rest, [...found, ...Object.keys(computedIn(this.definition, rest))]);
    const checked = checkInputs(this.definition, given);
    const isWhole = checked.problems.length === 0;
    // `get` gives the identity only.
    const { inputs, problems } = isWhole ? checked : checkIdentity(this.definition, given);
    if (problems[0]) throw new Error(`cannot read ${id}: ${problems[0].path} ${problems[0].reason}`);
    const { key, config } = partsOf(this.definition, inputs);
    const want = isWhole ? config : undefined;
    const { facts, notes: seen } = await this.#wrapped("read", inputs, undefined, (change) =>
      this.#submit("read", inputs, {
        facts: [
          ...this.definition.facts(key, want),
          ...change.facts,
          ...(this.definition.computed?.facts(key) ?? []),
        ],
        ...reading,
        // An error inside the plan gets the words of the host's other errors.
        plan: (facts) => ({ steps: [], notes: this.#seen(facts, change, inputs, key, want) }),
      }),
    );
    if (!seen) return {};
    const { have, flaw } = seen;
    const kept = clean({
      ...inputs,
      ...have,
      ...recordSaid(flaw === "missing" && flaw),
      ...(__provider === undefined ? {} : { __provider }),
    });
    const outputs = {
      ...this.#computed(facts, inputs),
      ...recordSaid(says(props, "adopted") && "adopted", flaw),
    };
    return { id: this.#idOf(inputs), props: clean({ ...kept, ...outputs }), inputs: kept };
  }

  /** Returns the state and what is wrong with its record. Returns undefined if nothing is there, now or after a reboot. */
  #seen(facts: Facts, change: Change, inputs: Bag, key: Bag, want: Bag | undefined): Seen | undefined {
    const have = this.definition.read(facts, key, want) as Bag | undefined;
    if (inputs.owner === noOwner) return have && { have, flaw: false };
    if (!have) return change.declares(facts) ? { have: { [gone]: true }, flaw: false } : undefined;
    if (!isDeepStrictEqual(have, want)) return { have, flaw: "stale" };
    const view = { facts, owner: this.owner(inputs), persist: inputs.persist !== false };
    return { have, flaw: !isRecorded(change, view) && "missing" };
  }

  /** Returns the computed outputs. */
  #computed(facts: Facts, inputs: Bag): Bag {
    const { definition } = this;
    const { key, config } = partsOf(definition, inputs);
    return { ...definition.computed?.read(facts, key, config), ...sharers(facts, definition, inputs) };
  }

  /** Runs an operation, which its kind may wrap. */
  #wrapped<Notes>(
    verb: Verb | "read",
    inputs: Bag,
    olds: Bag | undefined,
    make: (change: Change) => Promise<Done<Notes>>,
  ): Promise<Done<Notes>> {
    const { definition } = this;
    const owner = this.owner(inputs);
    const change = !definition.record
      ? noChange
      : definition.setting
        ? settingChange(definition, inputs, owner)
        : objectChange(definition, inputs, this.declared);
    if (!definition.around) return make(change);
    const { key, config } = partsOf(definition, inputs);
    const operation: Operation = {
      ...{ verb, key, config, owner, change },
      was: olds && partsOf(definition, olds).config,
      isStale: olds !== undefined && says(olds, "stale"),
      facts: [...definition.facts(key, config), ...change.facts],
      host: hostLabel(connectionOf(inputs)),
      clock: this.#clock,
      adopts: inputs.adopt === true,
      resource: String(inputs.owner),
      changeOf: (kind, fields) =>
        objectChange(kind as Definition, inputsOfPart(inputs, fields), this.#program.of(kind as Definition)),
      submit: (job) => this.#submit(verb, inputs, job),
      connection: connectionOf(inputs),
      query: (connection, ...queries) => this.#findHost(connection, hostLabel(connection)).query(...queries),
    };
    return definition.around(operation, make);
  }

  #change(verb: Verb, inputs: Bag, olds?: Bag): Promise<Done<{ isAdopted: boolean }>> {
    const change = () => this.#wrapped(verb, inputs, olds, (made) => this.#make(verb, inputs, olds, made));
    return this.definition.shareable ? this.#turns.take(this.#idOf(inputs), change) : change();
  }

  async #make(verb: Verb, inputs: Bag, olds: Bag | undefined, change: Change) {
    const { definition } = this;
    const { key, config } = partsOf(definition, inputs);
    const was = olds && partsOf(definition, olds).config;
    const owner = this.owner(inputs);
    const guarded = verb !== "delete" && definition.conflicts?.(key);
    try {
      return await this.#submit(verb, inputs, {
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
        verify: (facts) => change.mismatch(verb, facts),
      });
    } catch (error) {
      const { cause, message } = error as Error;
      // A failed create may have left the resource on the host. State keeps it, so that `up` can finish it
      // and `destroy` can remove it.
      const isNew =
        verb === "create" && (cause instanceof RollbackFailedError || cause instanceof OutcomeUnknownError);
      const now =
        cause instanceof RollbackFailedError &&
        verb !== "delete" &&
        there(definition, cause.facts, key, config);
      if (!isNew && !now) throw error;
      throw new HalfDoneError(this.#idOf(inputs), { ...inputs, ...(now || {}) }, inputs, message);
    }
  }

  async #submit<Notes>(verb: string, inputs: Bag, job: Omit<Job<Notes>, "owner">): Promise<Done<Notes>> {
    const connection = connectionOf(inputs);
    const label = hostLabel(connection);
    try {
      return await this.#findHost(connection, label).submit({ ...job, owner: this.owner(inputs) });
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      throw new Error(error.of(`cannot ${verb} ${this.#idWithoutHost(inputs)}`), { cause: error });
    }
  }

  /**
   * Returns a thing's name. After a create under it in this run, an older resource must not delete it. Claims of
   * several owners are different things, and so are equal resources that have nothing on a host.
   */
  thing(inputs: Bag): string {
    return this.definition.setting || !this.definition.record || isShared(inputs)
      ? this.owner(inputs)
      : this.#idOf(inputs);
  }

  /**
   * Returns the owner of a claim. Another identity is another owner: a replacement claims before a release.
   */
  owner(inputs: Bag): string {
    return `${inputs.owner} ${this.#idWithoutHost(inputs)}`;
  }

  #idOf(inputs: Bag): string {
    return idOf(this.definition, inputs);
  }

  #idWithoutHost(inputs: Bag): string {
    return this.definition.id(partsOf(this.definition, inputs).key);
  }
}
