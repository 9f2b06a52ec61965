import { isDeepStrictEqual } from "node:util";
import { HostError, UnansweredError } from "../../src/errors.js";
import type { Facts } from "../../src/facts/facts.js";
import type { Host } from "../../src/host/host.js";
import { StuckError } from "../../src/host/stuck-error.js";
import { type Connection, hostLabel } from "../../src/ssh/connection.js";
import { type Change, isRecorded, type Verb } from "./change.js";
import { refuseRivals } from "./conflicts.js";
import { Declarations } from "./declarations.js";
import type { Definition } from "./define.js";
import { diff, plain } from "./diff.js";
import { type Watch, watch } from "./drain.js";
import { withDraining } from "./drain-change.js";
import { type Around, drained, quiesced } from "./draining.js";
import type { Drained } from "./drains.js";
import { failuresOf } from "./failures.js";
import { found, isWhole, missing, recordSaid, says } from "./flags.js";
import { HalfDoneError, there } from "./half-done.js";
import { type Bag, checkInputs, clean, connectionOf, idOf, nobody, partsOf } from "./inputs.js";
import { objectChange } from "./object.js";
import { settingChange } from "./setting.js";
import { shownBy, without } from "./shown.js";

/** Finds the host of a connection. Tests give a fake one. */
export type FindHost = (connection: Connection, label: string) => Pick<Host, "submit">;

/** Create, read, diff, update and delete for any kind of resource. */
export class Engine {
  readonly #definition: Definition;
  readonly #findHost: FindHost;
  readonly #watch: Watch;
  readonly declared: Declarations;

  constructor(definition: Definition, findHost: FindHost, time = watch) {
    this.declared = new Declarations(definition);
    this.#definition = definition;
    this.#findHost = findHost;
    this.#watch = time;
  }

  check(_olds: Bag, news: Bag) {
    const { inputs, problems } = checkInputs(this.#definition, news);
    return {
      inputs: { ...inputs, ...(news.__provider === undefined ? {} : { __provider: news.__provider }) },
      failures: failuresOf(problems, news),
    };
  }

  diff(_id: string, olds: Bag, news: Bag) {
    return diff(this.#definition, olds, news);
  }

  async create(inputs: Bag) {
    const { isAdopted, shown } = await this.#change("create", inputs);
    const outs = clean({ ...inputs, ...shown, ...recordSaid(isAdopted && "adopted") });
    return { id: idOf(this.#definition, inputs), outs };
  }

  async update(_id: string, olds: Bag, news: Bag) {
    const owner = olds.owner ?? news.owner;
    const [was, want] = [olds, news].map((bag) => plain(partsOf(this.#definition, bag).config));
    const onlyConnection =
      isWhole(olds) &&
      isDeepStrictEqual(was, want) &&
      olds.persist === news.persist &&
      !isDeepStrictEqual(plain(olds.connection), plain(news.connection));
    if (onlyConnection) return { outs: clean({ ...news, owner, ...shownBy(this.#definition, olds) }) };
    const mine = { ...news, owner };
    const { shown } = await this.#change("update", mine, partsOf(this.#definition, olds).config);
    const told = await quiesced(this.#definition, olds, mine, this.#around(mine));
    return { outs: clean({ ...mine, ...shown, ...told }) };
  }

  async delete(_id: string, props: Bag) {
    const result = await drained(this.#definition, "delete", props, this.#around(props));
    await this.#change("delete", props, undefined, result);
  }

  async read(id: string, props: Bag) {
    const { __provider, ...rest } = props;
    const given = without(rest, [...found, ...Object.keys(shownBy(this.#definition, rest))]);
    const { inputs, problems } = checkInputs(this.#definition, given);
    const parts = partsOf(this.#definition, inputs);
    // `get` gives the identity only.
    const wrong = problems.filter(
      ({ path }) => !Object.hasOwn(this.#definition.config.shape, path.split(/[.[]/)[0] as string),
    );
    if (wrong[0]) throw new Error(`cannot read ${id}: ${wrong[0].path} ${wrong[0].reason}`);
    const key = parts.key;
    const want = problems.length === 0 ? parts.config : undefined;
    const owner = this.owner(inputs);
    const change = this.#changeOf(inputs, owner);
    let have: Bag | undefined;
    let flaw = false as "missing" | "stale" | false;
    let isMissing = false;
    const facts = await this.#ask("read", inputs, {
      facts: [
        ...this.#definition.facts(key, want),
        ...change.facts,
        ...(this.#definition.shows?.facts(key) ?? []),
      ],
      // An error inside the plan gets the words of the host's other errors.
      plan: (facts) => {
        have = this.#definition.read(facts, key, want) as Bag | undefined;
        flaw = isMissing = false;
        if (inputs.owner === nobody) return [];
        const view = { facts, owner, persist: inputs.persist !== false };
        if (!have) isMissing = change.declares(facts);
        else flaw = !isDeepStrictEqual(have, want) ? "stale" : !isRecorded(change, view) && "missing";
        return [];
      },
      look: () => undefined,
      verify: () => undefined,
    });
    if (!have && !isMissing) return {};
    const kept = clean({
      ...inputs,
      ...have,
      ...(isMissing ? { [missing]: true } : {}),
      ...recordSaid(flaw === "missing" && flaw),
      ...(__provider === undefined ? {} : { __provider }),
    });
    const shown = {
      ...this.#definition.shows?.read(facts, key),
      ...recordSaid(says(props, "adopted") && "adopted", flaw),
    };
    return { id: idOf(this.#definition, inputs), props: clean({ ...kept, ...shown }), inputs: kept };
  }

  /** Returns a thing's name. After a create under it in this run, an older resource must not delete it. */
  thing(inputs: Bag): string {
    return this.#definition.setting ? this.owner(inputs) : idOf(this.#definition, inputs);
  }

  #changeOf(inputs: Bag, owner: string, drained?: Drained): Change {
    return this.#definition.setting
      ? settingChange(this.#definition, inputs, owner)
      : withDraining(
          objectChange(this.#definition, inputs, this.declared),
          this.#definition,
          inputs,
          drained,
        );
  }

  // Returns the engine's means for a drain.
  #around(inputs: Bag): Around {
    const owner = this.owner(inputs);
    const ask: Around["ask"] = (verb, job) => this.#ask(verb, inputs, job);
    return { owner, change: this.#changeOf(inputs, owner), watch: this.#watch, ask };
  }

  /** Makes a change. Returns whether it took over a foreign thing, and the computed outputs. */
  async #change(
    verb: Verb,
    inputs: Bag,
    was?: Bag,
    drained?: Drained,
  ): Promise<{ isAdopted: boolean; shown: Bag }> {
    const definition = this.#definition;
    const { key, config } = partsOf(definition, inputs);
    const owner = this.owner(inputs);
    const change = this.#changeOf(inputs, owner, drained);
    const guarded = verb !== "delete" && definition.rivals?.(key) === true;
    let isAdopted = false;
    try {
      const facts = await this.#ask(verb, inputs, {
        facts: [
          ...definition.facts(key, config),
          ...(this.#definition.shows?.facts(key) ?? []),
          ...(was ? definition.facts(key, was) : []),
          ...change.facts,
          ...(guarded ? (["rivals"] as const) : []),
        ],
        plan: (facts) => {
          if (guarded) refuseRivals(facts, inputs);
          isAdopted ||= verb === "create" && change.adopts(facts);
          return change.plan(verb, { facts, owner, was, persist: inputs.persist !== false });
        },
        look: change.look,
        verify: (facts) => change.misfit(verb, facts),
      });
      return { isAdopted, shown: this.#definition.shows?.read(facts, key) ?? {} };
    } catch (error) {
      const { cause, message } = error as Error;
      // A failed create may have left the resource on the host. State keeps it, so that `up` can finish it
      // and `destroy` can remove it.
      const isNew = verb === "create" && (cause instanceof StuckError || cause instanceof UnansweredError);
      const now =
        cause instanceof StuckError && verb !== "delete" && there(definition, cause.facts, key, config);
      if (!isNew && !now) throw error;
      throw new HalfDoneError(idOf(definition, inputs), { ...inputs, ...(now || {}) }, inputs, message);
    }
  }

  /**
   * Returns the owner of a claim. Another identity is another owner: a replacement claims before a release.
   */
  owner(inputs: Bag): string {
    return `${inputs.owner} ${this.#definition.id(partsOf(this.#definition, inputs).key)}`;
  }

  async #ask(verb: string, inputs: Bag, job: Omit<Parameters<Host["submit"]>[0], "owner">): Promise<Facts> {
    const connection = connectionOf(inputs);
    const label = hostLabel(connection);
    const name = this.#definition.id(partsOf(this.#definition, inputs).key);
    try {
      return await this.#findHost(connection, label).submit({ ...job, owner: this.owner(inputs) });
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      throw new Error(error.of(`cannot ${verb} ${name}`), { cause: error });
    }
  }
}
