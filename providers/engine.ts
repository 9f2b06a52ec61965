import { isDeepStrictEqual } from "node:util";
import { type Connection, hostLabel } from "../src/connection.js";
import type { Facts } from "../src/facts.js";
import type { Host } from "../src/host.js";
import { HostError, UnansweredError } from "../src/host-error.js";
import { StuckError } from "../src/stuck-error.js";
import { type Change, isRecorded, type Verb } from "./change.js";
import type { Definition } from "./define.js";
import { adopted, undeclared, unmarked } from "./flags.js";
import { HalfDoneError, there } from "./half-done.js";
import { type Bag, checkInputs, clean, connectionOf, idOf, isOtherHost, nobody, partsOf } from "./inputs.js";
import { objectChange } from "./object-change.js";
import { refuseRivals } from "./rivals.js";
import { settingChange } from "./setting-change.js";

/** Finds the host of a connection; tests give a fake one. */
export type FindHost = (connection: Connection, label: string) => Pick<Host, "submit">;

/** What of the common inputs an update is about. */
const common = ["connection", "persist"];

/** Create, read, diff, update and delete of any kind of resource. */
export class Engine {
  readonly #definition: Definition;
  readonly #findHost: FindHost;

  constructor(definition: Definition, findHost: FindHost) {
    this.#definition = definition;
    this.#findHost = findHost;
  }

  check(_olds: Bag, news: Bag) {
    const { inputs, problems } = checkInputs(this.#definition, news);
    const failures = problems.map(({ path, reason }) => ({ property: path, reason }));
    return {
      inputs: { ...inputs, ...(news.__provider === undefined ? {} : { __provider: news.__provider }) },
      failures,
    };
  }

  /** Names `changes: true` only where no property differs: then Pulumi shows property by property what changes. */
  diff(_id: string, olds: Bag, news: Bag) {
    const definition = this.#definition;
    const [was, is] = [partsOf(definition, olds), partsOf(definition, news)];
    const unlike = (a: Bag, b: Bag) =>
      Object.keys({ ...a, ...b }).filter((name) => !isDeepStrictEqual(plain(a[name]), plain(b[name])));
    const otherHost = isOtherHost(olds, news);
    const replaces = [...unlike(was.key, is.key), ...(otherHost ? ["connection"] : [])];
    const same = common.every((name) => isDeepStrictEqual(plain(olds[name]), plain(news[name])));
    const ours = olds[unmarked] === undefined;
    if (replaces.length === 0 && same && ours && unlike(was.config, is.config).length === 0)
      return { changes: olds[undeclared] !== undefined };
    // another name for one machine would find the old entry in place, and deleting the old would take it away again
    return { replaces, deleteBeforeReplace: otherHost };
  }

  async create(inputs: Bag) {
    const { isAdopted, shown } = await this.#change("create", inputs);
    const outs = clean({ ...inputs, ...shown, ...(isAdopted ? { [adopted]: true } : {}) });
    return { id: idOf(this.#definition, inputs), outs };
  }

  async update(_id: string, olds: Bag, news: Bag) {
    const owner = olds.owner ?? news.owner;
    const [was, want] = [olds, news].map((bag) => plain(partsOf(this.#definition, bag).config));
    const onlyConnection =
      olds[unmarked] === undefined &&
      olds[undeclared] === undefined &&
      isDeepStrictEqual(was, want) &&
      olds.persist === news.persist &&
      !isDeepStrictEqual(plain(olds.connection), plain(news.connection));
    const { shown } = onlyConnection
      ? { shown: shownBy(this.#definition, olds) }
      : await this.#change("update", { ...news, owner }, partsOf(this.#definition, olds).config);
    return { outs: clean({ ...news, owner, ...shown }) };
  }

  async delete(_id: string, props: Bag) {
    await this.#change("delete", props);
  }

  async read(id: string, props: Bag) {
    const { __provider, [unmarked]: _, [undeclared]: __, [adopted]: wasAdopted, ...rest } = props;
    const given = without(rest, Object.keys(shownBy(this.#definition, rest)));
    const { inputs, problems } = checkInputs(this.#definition, given);
    const parts = partsOf(this.#definition, inputs);
    // `get` names the identity only
    const wrong = problems.filter(
      ({ path }) => !Object.hasOwn(this.#definition.config.shape, path.split(/[.[]/)[0] as string),
    );
    if (wrong[0]) throw new Error(`cannot read ${id}: ${wrong[0].path} ${wrong[0].reason}`);
    const key = parts.key;
    const want = problems.length === 0 ? parts.config : undefined;
    const owner = this.owner(inputs);
    const change = this.#changeOf(inputs, owner);
    let have: Bag | undefined;
    let isOurs = true;
    let isDeclared = true;
    const facts = await this.#ask("read", inputs, {
      facts: [
        ...this.#definition.facts(key, want),
        ...change.facts,
        ...(this.#definition.shows?.facts(key) ?? []),
      ],
      // there, what the host could not tell becomes an error in words
      plan: (facts) => {
        have = this.#definition.read(facts, key, want) as Bag | undefined;
        isOurs = isDeclared = true;
        // it is as it should be, and something is to be done all the same: to say whose it is
        if (inputs.owner !== nobody && isDeepStrictEqual(have, want))
          isOurs = isRecorded(change, { facts, owner, persist: inputs.persist !== false });
        // what was recorded is not what is there, and the next program may want just that
        else isDeclared = inputs.owner === nobody;
        return [];
      },
      look: () => undefined,
      verify: () => undefined,
    });
    if (!have) return {};
    const found = clean({
      ...inputs,
      ...have,
      ...(isOurs ? {} : { [unmarked]: true }),
      ...(__provider === undefined ? {} : { __provider }),
    });
    const shown = {
      ...this.#definition.shows?.read(facts, key),
      ...(wasAdopted === true ? { [adopted]: true } : {}),
      ...(isDeclared ? {} : { [undeclared]: true }),
    };
    return { id: idOf(this.#definition, inputs), props: clean({ ...found, ...shown }), inputs: found };
  }

  /** What a resource has on its host, as a name: what was just made under it must not be deleted as an older one's. */
  thing(inputs: Bag): string {
    return this.#definition.setting ? this.owner(inputs) : idOf(this.#definition, inputs);
  }

  #changeOf(inputs: Bag, owner: string): Change {
    return this.#definition.setting
      ? settingChange(this.#definition, inputs, owner)
      : objectChange(this.#definition, inputs);
  }

  /** Makes a change, and tells whether it took over what somebody else had made, and what there is to tell. */
  async #change(verb: Verb, inputs: Bag, was?: Bag): Promise<{ isAdopted: boolean; shown: Bag }> {
    const definition = this.#definition;
    const { key, config } = partsOf(definition, inputs);
    const owner = this.owner(inputs);
    const change = this.#changeOf(inputs, owner);
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
      // nobody but the state would know of what did not exist before: with it, up goes on, and destroy takes it away
      const isNew = verb === "create" && (cause instanceof StuckError || cause instanceof UnansweredError);
      const now =
        cause instanceof StuckError && verb !== "delete" && there(definition, cause.facts, key, config);
      if (!isNew && !now) throw error;
      throw new HalfDoneError(idOf(definition, inputs), { ...inputs, ...(now || {}) }, inputs, message);
    }
  }

  /** What marks a setting as wanted by this resource; another identity is another mark, so a replacement holds on before the old one lets go. */
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
      const remedy = error.remedy ? `; ${error.remedy}` : "";
      throw new Error(`cannot ${verb} ${name} on ${error.host}: ${error.reason}${remedy}`, { cause: error });
    }
  }
}

/** Outputs in a bag that only tell. */
const shownBy = ({ shows }: Definition, bag: Bag): Bag =>
  Object.fromEntries(Object.entries(bag).filter(([name]) => shows?.names.includes(name)));

const without = (bag: Bag, names: readonly string[]): Bag =>
  Object.fromEntries(Object.entries(bag).filter(([name]) => !names.includes(name)));

// a bag may have come through Pulumi's wire, which drops undefined
const plain = (value: unknown): unknown => (value === undefined ? undefined : clean(value));
