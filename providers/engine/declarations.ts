import { isDeepStrictEqual } from "node:util";
import { hostLabel } from "../../src/ssh/connection.js";
import type { Definition } from "./define.js";
import { describeDifference } from "./difference.js";
import {
  type Bag,
  checkInputs,
  connectionOf,
  hasUnknown,
  isShared,
  keyOf,
  partsOf,
  plain,
} from "./inputs.js";
import { partInputs } from "./parts.js";

/** A thing on a host that only one resource of a program may declare. */
interface Thing {
  /** Its name in messages: `director1/tcp://192.168.0.219:80`. */
  readonly name: string;
  /** `KIND ID`, as in its record on the host. */
  readonly recorded: string;
  readonly host: string;
}

/**
 * Returns the thing that a resource declares for itself only, or shares with resources that declare so. Returns undefined
 * for a setting, for a kind that has nothing on a host, and if the thing is not known yet.
 */
function thingOf(definition: Definition, inputs: Bag): Thing | undefined {
  if (definition.setting || !definition.record) return undefined;
  const key = keyOf(definition, inputs);
  const connection = connectionOf(inputs);
  if (typeof connection !== "object" || connection === null) return undefined;
  const { host, port } = connection;
  if (hasUnknown([key, host, port, inputs.shared])) return undefined;
  const id = definition.id(key);
  const label = hostLabel({ host, port });
  return { name: `${label}/${id}`, recorded: `${definition.kind} ${id}`, host: label };
}

const twice = (
  { shareable }: Pick<Definition, "shareable">,
  { name }: Thing,
  one: unknown,
  other: unknown,
): string =>
  one === other
    ? `${name} is declared twice, each time by ${one}; take one of them out of the program`
    : `${name} is declared twice: by ${one} and by ${other}; take one of them out of the program${shareable ? ", or set shared: true in both" : ""}`;

interface Declaration {
  readonly thing: Thing;
  /** The resource's name in the program, and former names that the host may still have. */
  readonly owners: Set<unknown>;
  readonly inputs: Bag;
  /** The host of the thing before this run. */
  readonly formerHost: string | undefined;
  /**
   * True if the thing existed before and is kept: an update compares it with its old state, a destroy does not.
   */
  isKept: boolean;
}

/** Returns the difference between the settings of two resources that share a thing, as far as they are known. */
function settingsDifference(definition: Definition, one: Bag, other: Bag): string | undefined {
  const [is, wanted] = [one, other].map((bag) => plain(partsOf(definition, bag).config) as Bag);
  if (hasUnknown([is, wanted]) || isDeepStrictEqual(is, wanted)) return undefined;
  return describeDifference(is as Bag, wanted as Bag);
}

/** The declarations of one kind in one run of Pulumi, by the resources that have been checked so far. */
export class Declarations {
  readonly #definition: Definition;
  readonly #byName = new Map<string, Declaration[]>();
  /** The same ones by their records, which have no host. */
  readonly #byRecord = new Map<string, Declaration[]>();
  readonly #takeovers = new Map<string, { host: string; by: unknown }>();
  readonly #checked: Set<unknown>;

  /** `checked` are the owners of all kinds that have been checked so far. */
  constructor(definition: Definition, checked = new Set<unknown>()) {
    this.#definition = definition;
    this.#checked = checked;
  }

  /**
   * Notes a declaration. Returns an error if another resource has declared the same thing and both do not share it,
   * or has taken it over.
   */
  declare(olds: Bag, inputs: Bag): string | undefined {
    const thing = thingOf(this.#definition, inputs);
    if (!thing) return undefined;
    const { owner } = inputs;
    this.#checked.add(owner);
    const all = this.#byName.get(thing.name) ?? [];
    const first = all.find(({ owners }) => owners.has(owner));
    for (const other of all.filter((one) => one !== first)) {
      const [by] = other.owners;
      if (!isShared(other.inputs) || !isShared(inputs)) return twice(this.#definition, thing, by, owner);
      const difference = settingsDifference(this.#definition, other.inputs, inputs);
      if (difference !== undefined)
        return `${thing.name} is shared by ${by} and ${owner} with different settings: ${difference}; write the same settings in both`;
    }
    // Pulumi checks a replacement a second time, without the old state.
    const formerHost = first ? first.formerHost : thingOf(this.#definition, olds)?.host;
    const takeover = this.#takeovers.get(`${owner} ${thing.recorded}`);
    // The other resource may have left the former host.
    if (takeover && (takeover.host === thing.host || takeover.host !== formerHost))
      return twice(this.#definition, thing, takeover.by, owner);
    if (first) return undefined;
    const made: Declaration = { thing, owners: new Set([owner]), inputs, formerHost, isKept: false };
    this.#byName.set(thing.name, [...all, made]);
    const recorded = this.#byRecord.get(thing.recorded);
    if (recorded) recorded.push(made);
    else this.#byRecord.set(thing.recorded, [made]);
    return undefined;
  }

  /** Notes that a resource is kept, and the name that its host knows. An alias may have renamed it. */
  noteKept(inputs: Bag, former: unknown): void {
    const thing = thingOf(this.#definition, inputs);
    const all = thing && this.#byName.get(thing.name);
    const declared = all?.find(({ owners }) => owners.has(inputs.owner));
    if (!declared) return;
    declared.owners.add(former);
    declared.isKept = true;
  }

  /**
   * Returns whether the owner of a record on a host declares that thing, there or by another name of the host.
   */
  isDeclared(owner: string, recorded: string, host: string): boolean {
    const all = this.#byRecord.get(recorded) ?? [];
    return all.some(
      ({ thing, owners, formerHost }) => owners.has(owner) && (thing.host === host || formerHost !== host),
    );
  }

  /**
   * Returns whether the owner of a record has given the thing up: the program declares the owner without the thing. A
   * pool of a service that became resources of its own leaves such records.
   */
  hasGivenUp(owner: string, recorded: string, host: string): boolean {
    return this.#checked.has(owner) && !this.isDeclared(owner, recorded, host);
  }

  /**
   * Notes that a resource took over a thing of another one in its stack. That one is gone from the program,
   * unless it is checked later.
   */
  noteTakeover(from: string, recorded: string, host: string, by: string): void {
    this.#takeovers.set(`${from} ${recorded}`, { host, by });
  }

  /**
   * Returns the inputs of another resource that declares the same thing, and must keep it when this one is
   * deleted. A shared thing is kept by its records on the host.
   */
  otherDeclaration(inputs: Bag): Bag | undefined {
    const thing = thingOf(this.#definition, inputs);
    const [declared] = (thing && !isShared(inputs) && this.#byName.get(thing.name)) || [];
    return declared?.isKept && !declared.owners.has(inputs.owner) ? declared.inputs : undefined;
  }
}

const programs = new WeakMap<object, Map<string, { owner: string; shares: boolean }[]>>();

const isPlain = (value: unknown): boolean =>
  typeof value !== "object" ||
  value === null ||
  ((Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) &&
    Object.values(value).every(isPlain));

/**
 * Throws if two resources in one run of the program declare the same thing, as far as that is known while the
 * program runs. `run` is any object that lives as long as the run.
 */
export function declareOnce(run: object, definition: Definition, owner: string, args: Bag): void {
  const known = Object.fromEntries(Object.entries(args).filter(([, value]) => isPlain(value)));
  const { host, port } = (args.connection ?? {}) as { host?: unknown; port?: unknown };
  if (typeof host !== "string" || !["number", "undefined"].includes(typeof port)) return;
  const { inputs, problems } = checkInputs(definition, { ...known, connection: { host, port } });
  const keys = [...Object.keys(definition.key.shape), ...(definition.shareable ? ["shared"] : [])];
  // A wrong part is reported by the check.
  const parts = problems.length > 0 ? [] : partInputs(definition, inputs);
  // For an unknown value the check would use the default, and a wrong value has no thing.
  if (keys.some((name) => !isPlain(args[name]))) return;
  if (problems.some(({ path }) => keys.includes(path.split(/[.[]/)[0] as string))) return;
  for (const one of [{ definition, inputs }, ...parts]) noteOnce(run, one.definition, owner, one.inputs);
}

function noteOnce(run: object, definition: Definition, owner: string, inputs: Bag): void {
  const thing = thingOf(definition, inputs);
  if (!thing) return;
  const declared = programs.get(run) ?? new Map<string, { owner: string; shares: boolean }[]>();
  programs.set(run, declared);
  const name = `${definition.kind} ${thing.name}`;
  const others = declared.get(name) ?? [];
  const shares = isShared(inputs);
  // One owner has one record, so two resources of one name cannot share.
  const other = others.find((one) => one.owner === owner || !one.shares || !shares);
  if (other) throw new Error(twice(definition, thing, other.owner, owner));
  declared.set(name, [...others, { owner, shares }]);
}
