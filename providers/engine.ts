import { isDeepStrictEqual } from "node:util";
import { type Connection, hostLabel } from "../src/connection.js";
import type { Facts } from "../src/facts.js";
import type { Host } from "../src/host.js";
import { HostError, UnansweredError } from "../src/host-error.js";
import { StuckError } from "../src/stuck-error.js";
import { type Change, isRecorded, type Verb } from "./change.js";
import type { Definition } from "./define.js";
import { type Bag, checkInputs, clean, connectionOf, idOf, isOtherHost, nobody, partsOf } from "./inputs.js";
import { objectChange } from "./object-change.js";
import { refuseRivals } from "./rivals.js";
import { settingChange } from "./setting-change.js";

/** Finds the host of a connection; tests give a fake one. */
export type FindHost = (connection: Connection, label: string) => Pick<Host, "submit">;

/**
 * A change that could be neither finished nor taken back. Pulumi keeps `properties`, so that refresh, up and destroy go on
 * from what is really there; without `__provider` among them nothing could (the CLI would find no provider to ask).
 */
export class HalfDoneError extends Error {
  readonly properties: Bag;
  readonly reasons: readonly string[];
  constructor(
    readonly id: string,
    properties: Bag,
    inputs: Bag,
    reason: string,
  ) {
    super(reason);
    this.properties = clean({ ...properties, __provider: inputs.__provider });
    this.reasons = [reason];
  }
}

/**
 * What a refresh finds that is there as declared, while the host does not know whose it is (records that were lost, or never
 * written because /run was full). The next update writes them.
 */
const unmarked = "unmarked";

/** What creation found there, made by somebody else, and took over: a rollback of that update must not delete it. */
const adopted = "adopted";

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

  /** Never names `changes: true`: then Pulumi shows property by property what changes. */
  diff(_id: string, olds: Bag, news: Bag) {
    const definition = this.#definition;
    const [was, is] = [partsOf(definition, olds), partsOf(definition, news)];
    const unlike = (a: Bag, b: Bag) =>
      Object.keys({ ...a, ...b }).filter((name) => !isDeepStrictEqual(plain(a[name]), plain(b[name])));
    const otherHost = isOtherHost(olds, news);
    const replaces = [...unlike(was.key, is.key), ...(otherHost ? ["connection"] : [])];
    const same = isDeepStrictEqual(plain(olds.connection), plain(news.connection));
    const ours = olds[unmarked] === undefined;
    if (replaces.length === 0 && same && ours && unlike(was.config, is.config).length === 0)
      return { changes: false };
    // another name for one machine would find the old entry in place, and deleting the old would take it away again
    return { replaces, deleteBeforeReplace: otherHost };
  }

  async create(inputs: Bag) {
    const isAdopted = await this.#change("create", inputs);
    const outs = clean({ ...inputs, ...(isAdopted ? { [adopted]: true } : {}) });
    return { id: idOf(this.#definition, inputs), outs };
  }

  async update(_id: string, olds: Bag, news: Bag) {
    const outs = clean({ ...news, owner: olds.owner ?? news.owner });
    const [was, want] = [olds, news].map((bag) => plain(partsOf(this.#definition, bag).config));
    const onlyConnection =
      olds[unmarked] === undefined &&
      isDeepStrictEqual(was, want) &&
      !isDeepStrictEqual(plain(olds.connection), plain(news.connection));
    if (!onlyConnection)
      await this.#change("update", { ...news, owner: outs.owner }, partsOf(this.#definition, olds).config);
    return { outs };
  }

  async delete(_id: string, props: Bag) {
    await this.#change("delete", props);
  }

  async read(id: string, props: Bag) {
    const { __provider, [unmarked]: _, [adopted]: wasAdopted, ...given } = props;
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
    await this.#ask("read", inputs, {
      facts: [...this.#definition.facts(key, want), ...change.facts],
      // there, what the host could not tell becomes an error in words
      plan: (facts) => {
        have = this.#definition.read(facts, key, want) as Bag | undefined;
        // it is as it should be, and something is to be done all the same: to say whose it is
        if (inputs.owner !== nobody && isDeepStrictEqual(have, want))
          isOurs = isRecorded(change, { facts, owner });
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
    const shown = { ...found, ...(wasAdopted === true ? { [adopted]: true } : {}) };
    return { id: idOf(this.#definition, inputs), props: shown, inputs: found };
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

  /** Makes a change, and tells whether it took over what somebody else had made. */
  async #change(verb: Verb, inputs: Bag, was?: Bag): Promise<boolean> {
    const definition = this.#definition;
    const { key, config } = partsOf(definition, inputs);
    const owner = this.owner(inputs);
    const change = this.#changeOf(inputs, owner);
    const guarded = verb !== "delete" && definition.rivals?.(key) === true;
    let isAdopted = false;
    try {
      await this.#ask(verb, inputs, {
        facts: [
          ...definition.facts(key, config),
          ...(was ? definition.facts(key, was) : []),
          ...change.facts,
          ...(guarded ? (["rivals"] as const) : []),
        ],
        plan: (facts) => {
          if (guarded) refuseRivals(facts, inputs);
          isAdopted ||= verb === "create" && change.adopts(facts);
          return change.plan(verb, { facts, owner, was });
        },
        look: change.look,
        verify: (facts) => change.misfit(verb, facts),
      });
    } catch (error) {
      const { cause, message } = error as Error;
      // nobody but the state would know of what did not exist before: with it, up goes on, and destroy takes it away
      const isNew = verb === "create" && (cause instanceof StuckError || cause instanceof UnansweredError);
      const now =
        cause instanceof StuckError && verb !== "delete" && there(definition, cause.facts, key, config);
      if (!isNew && !now) throw error;
      throw new HalfDoneError(idOf(definition, inputs), { ...inputs, ...(now || {}) }, inputs, message);
    }
    return isAdopted;
  }

  /** What marks a setting as wanted by this resource; another identity is another mark, so a replacement holds on before the old one lets go. */
  owner(inputs: Bag): string {
    return `${inputs.owner} ${this.#definition.id(partsOf(this.#definition, inputs).key)}`;
  }

  async #ask(verb: string, inputs: Bag, job: Omit<Parameters<Host["submit"]>[0], "owner">): Promise<void> {
    const connection = connectionOf(inputs);
    const label = hostLabel(connection);
    const name = this.#definition.id(partsOf(this.#definition, inputs).key);
    try {
      await this.#findHost(connection, label).submit({ ...job, owner: this.owner(inputs) });
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      const remedy = error.remedy ? `; ${error.remedy}` : "";
      throw new Error(`cannot ${verb} ${name} on ${error.host}: ${error.reason}${remedy}`, { cause: error });
    }
  }
}

/** What is there after a failure; undefined too where that cannot be read, which may be why it failed. */
function there(definition: Definition, facts: Facts, key: Bag, want: Bag): Bag | undefined {
  try {
    return definition.read(facts, key, want) as Bag | undefined;
  } catch {
    return undefined;
  }
}

// a bag may have come through Pulumi's wire, which drops undefined
const plain = (value: unknown): unknown => (value === undefined ? undefined : clean(value));
