import { hostLabel } from "../../src/ssh/connection.js";
import type { Definition } from "./define.js";
import { type Bag, checkInputs, connectionOf, hasUnknown, idOf, partsOf } from "./inputs.js";

/** A thing on a host, which one resource of a program may declare. */
interface Thing {
  /** What it is called in messages: `director1/tcp://192.168.0.219:80`. */
  readonly name: string;
  /** `KIND ID`, as its owner's mark on the host has it. */
  readonly mark: string;
  readonly host: string;
}

/** Returns what a resource declares for itself alone; undefined for what is shared, for a question, and where it is not known yet. */
function thingOf(definition: Definition, inputs: Bag): Thing | undefined {
  if (definition.setting || definition.asks) return undefined;
  const { key } = partsOf(definition, inputs);
  const connection = connectionOf(inputs);
  if (typeof connection !== "object" || connection === null) return undefined;
  const { host, port } = connection;
  if (hasUnknown([key, host, port])) return undefined;
  return {
    name: idOf(definition, inputs),
    mark: `${definition.kind} ${definition.id(key)}`,
    host: hostLabel({ host, port }),
  };
}

const twice = ({ name }: Thing, one: unknown, other: unknown): string =>
  one === other
    ? `${name} is declared twice, each time by ${one}; take one of them out of the program`
    : `${name} is declared twice: by ${one} and by ${other}; take one of them out of the program`;

interface Declaration {
  readonly thing: Thing;
  /** Its name in the program, and those that the host may still know it by. */
  readonly owners: Set<unknown>;
  readonly inputs: Bag;
  /** The host that it was on before this run. */
  readonly formerHost: string | undefined;
  /** It was there before and stays: an update compares it with what it was, a destroy does not. */
  stays: boolean;
}

/** What the program declares of one kind in one run of Pulumi, as far as its resources have been checked. */
export class Declarations {
  readonly #definition: Definition;
  readonly #byName = new Map<string, Declaration>();
  readonly #taken = new Map<string, { host: string; by: unknown }>();

  constructor(definition: Definition) {
    this.#definition = definition;
  }

  /** Notes a declaration; returns what is wrong with it where another resource has declared the same thing, or has taken it over. */
  declare(olds: Bag, inputs: Bag): string | undefined {
    const thing = thingOf(this.#definition, inputs);
    if (!thing) return undefined;
    const { owner } = inputs;
    const first = this.#byName.get(thing.name);
    if (first && !first.owners.has(owner)) return twice(thing, [...first.owners][0], owner);
    // a replacement is checked once more, without what was before
    const formerHost = first ? first.formerHost : thingOf(this.#definition, olds)?.host;
    const taken = this.#taken.get(`${owner} ${thing.mark}`);
    // where it was before, it may have made room
    if (taken && (taken.host === thing.host || taken.host !== formerHost))
      return twice(thing, taken.by, owner);
    if (!first)
      this.#byName.set(thing.name, { thing, owners: new Set([owner]), inputs, formerHost, stays: false });
    return undefined;
  }

  /** Notes that a resource stays, and which name its host knows it by: another one where it was renamed by an alias. */
  stay(inputs: Bag, former: unknown): void {
    const thing = thingOf(this.#definition, inputs);
    const declared = thing && this.#byName.get(thing.name);
    if (!declared?.owners.has(inputs.owner)) return;
    declared.owners.add(former);
    declared.stays = true;
  }

  /** Returns whether the owner of a mark that was found on a host declares that very thing, there or by another name of the host. */
  isDeclared(owner: string, mark: string, host: string): boolean {
    for (const { thing, owners, formerHost } of this.#byName.values())
      if (thing.mark === mark && owners.has(owner) && (thing.host === host || formerHost !== host))
        return true;
    return false;
  }

  /** Notes that a resource took over a thing from another one of its stack, which is gone from the program unless it is checked later. */
  take(from: string, mark: string, host: string, by: string): void {
    this.#taken.set(`${from} ${mark}`, { host, by });
  }

  /** Returns the inputs of another resource that declares the same thing, and which must not lose it with this one. */
  heirOf(inputs: Bag): Bag | undefined {
    const thing = thingOf(this.#definition, inputs);
    const declared = thing && this.#byName.get(thing.name);
    return declared?.stays && !declared.owners.has(inputs.owner) ? declared.inputs : undefined;
  }
}

const programs = new WeakMap<object, Map<string, string>>();

const isPlain = (value: unknown): boolean =>
  typeof value !== "object" ||
  value === null ||
  ((Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) &&
    Object.values(value).every(isPlain));

/**
 * Throws where a resource declares what another of the same run of the program has declared, as far as that is known while the
 * program runs. `run` is any object that lives as long as the run.
 */
export function declareOnce(run: object, definition: Definition, owner: string, args: Bag): void {
  const known = Object.fromEntries(Object.entries(args).filter(([, value]) => isPlain(value)));
  const { host, port } = (args.connection ?? {}) as { host?: unknown; port?: unknown };
  if (typeof host !== "string" || !["number", "undefined"].includes(typeof port)) return;
  const { inputs, problems } = checkInputs(definition, { ...known, connection: { host, port } });
  const keys = Object.keys(definition.key.shape);
  // defaults stand in for what is not known, and a wrong value has no thing
  if (keys.some((name) => !isPlain(args[name]))) return;
  if (problems.some(({ path }) => keys.includes(path.split(/[.[]/)[0] as string))) return;
  const thing = thingOf(definition, inputs);
  if (!thing) return;
  const declared = programs.get(run) ?? new Map<string, string>();
  programs.set(run, declared);
  const name = `${definition.kind} ${thing.name}`;
  const first = declared.get(name);
  if (first !== undefined) throw new Error(twice(thing, first, owner));
  declared.set(name, owner);
}
