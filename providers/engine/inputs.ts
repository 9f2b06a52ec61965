import { z } from "zod";
import { type Connection, connection, hostLabel } from "../../src/ssh/connection.js";
import { type Conflict, conflicts } from "../../src/values/conflicts.js";
import { unknownField } from "../../src/values/hints.js";
import { errorMap, type Problem, problemsOf, showPath } from "../../src/values/problem.js";
import type { Definition } from "./define.js";

/** A property bag as Pulumi passes it. */
export type Bag = Record<string, unknown>;

/** Inputs that every resource has besides its own. */
export interface Common {
  /**
   * How to reach the host: see Connection. A change of `host` or `port` is another host and replaces the
   * resource.
   */
  connection: Connection;
  /**
   * Take over an existing thing with other settings, or of another stack, instead of refusing it. Default
   * false.
   */
  adopt?: boolean | undefined;
  /**
   * Conflicting programs that may run on the host, because they are known to leave this entry alone. A
   * keepalived that does only VRRP is no such program. Default: none, and if one runs, nothing is written.
   */
  alongside?: Conflict[] | undefined;
  /**
   * Restore the resource when the host reboots, by a unit and files in /etc/pulumi-lvs. Refused on a host
   * without systemd. Default true.
   */
  persist?: boolean | undefined;
}

/** The input of kinds whose things several resources may declare. */
export interface Sharing {
  /**
   * Whether other resources, also of other stacks, may declare it too, with the same settings and `shared`. The last of
   * them removes it. Default false.
   */
  shared?: boolean | undefined;
}

/** The owner of a resource that is only read. */
export const noOwner = "unknown";

/** @internal */
export const common = {
  connection,
  adopt: z.boolean().optional(),
  alongside: z.array(z.enum(conflicts)).optional(),
  persist: z.boolean().default(true),
  /** `project/stack/name`, set by the constructor. The host keeps it in lines of text. */
  owner: z
    .string()
    .min(1, "must not be empty")
    .max(500)
    // A line of a file on the host, in UTF-8.
    .regex(
      /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u,
      "has a line break or an invalid character: give the resource another name",
    )
    .default(noOwner),
};

/** @internal */
export const sharing = { shared: z.boolean().optional() };

/**
 * Pulumi's placeholder for a value that a preview does not know yet. It may stand anywhere inside a property.
 */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Returns whether the placeholder is anywhere in a value. */
export const hasUnknown = (value: unknown): boolean =>
  value === unknownValue ||
  (typeof value === "object" && value !== null && Object.values(value).some(hasUnknown));

const shapeOf = (definition: Definition): Record<string, z.ZodType> => ({
  ...common,
  ...(definition.shareable ? sharing : {}),
  ...(definition.key.shape as Record<string, z.ZodType>),
  ...(definition.config.shape as Record<string, z.ZodType>),
});

/** Returns the names of all properties of the resource. @internal */
export const propertiesOf = (definition: Definition): string[] => Object.keys(shapeOf(definition));

const isConnection = (schema: z.ZodType): boolean =>
  schema === connection || ("unwrap" in schema && isConnection((schema.unwrap as () => z.ZodType)()));

/** Returns the names of the properties of how to reach a host. Their secret fields stay secret. @internal */
export const connectionsOf = (definition: Definition): string[] =>
  Object.entries(shapeOf(definition)).flatMap(([name, schema]) => (isConnection(schema) ? [name] : []));

/** What a check finds: inputs with all defaults and canonical values, and the problems. */
interface Checked {
  readonly inputs: Bag;
  readonly problems: Problem[];
}

/** Returns each input in canonical form, and the problems that it has by itself. */
function checkFields(definition: Definition, given: Bag): Checked {
  const shape = shapeOf(definition);
  const inputs: Bag = {};
  const problems: Problem[] = [];
  for (const [name, schema] of Object.entries(shape)) {
    if (hasUnknown(given[name])) {
      inputs[name] = given[name];
      continue;
    }
    const parsed = schema.safeParse(given[name], { error: errorMap });
    if (!parsed.success) problems.push(...problemsOf(parsed.error, [name]));
    else if (parsed.data !== undefined) inputs[name] = clean(parsed.data);
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(shape, name) && name !== "__provider")
      problems.push({ path: showPath([name]), reason: unknownField(name, Object.keys(shape)) });
  }
  return { inputs, problems };
}

/** Fills in defaults that depend on other fields. Unknown values take no part. */
function fillDefaults(definition: Definition, inputs: Bag, { key, config }: { key: Bag; config: Bag }): void {
  const known = Object.fromEntries(Object.entries(config).filter(([, value]) => !hasUnknown(value)));
  definition.defaults?.(key, known);
  for (const [name, value] of Object.entries({ ...key, ...known }))
    if (!hasUnknown(inputs[name])) inputs[name] = value;
}

/** Returns the inputs with all defaults and canonical values, and the problems. Pure. @internal */
export function checkInputs(definition: Definition, given: Bag): Checked {
  const { inputs, problems } = checkFields(definition, given);
  const parts = partsOf(definition, inputs);
  if (problems.length > 0 || hasUnknown(parts.key)) return { inputs, problems };
  if (!hasUnknown(parts.config)) problems.push(...(definition.validate?.(parts.key, parts.config) ?? []));
  if (problems.length === 0) fillDefaults(definition, inputs, parts);
  return { inputs, problems };
}

/**
 * Returns the inputs of a resource that is only read, and problems of its identity. Its other fields may be
 * missing, and no rule between them holds. Pure. @internal
 */
export function checkIdentity(definition: Definition, given: Bag): Checked {
  const { inputs, problems } = checkFields(definition, given);
  const wrong = problems.filter(
    ({ path }) => !Object.hasOwn(definition.config.shape, path.split(/[.[]/)[0] as string),
  );
  if (wrong.length === 0) fillDefaults(definition, inputs, partsOf(definition, inputs));
  return { inputs, problems: wrong };
}

/** Returns the fields of a schema from a bag. */
function pick({ shape }: z.ZodObject, bag: Bag): Bag {
  const parts: Bag = {};
  for (const name of Object.keys(shape)) {
    // A field that an older version did not know has its default, so that an upgrade alone changes nothing.
    const value = bag[name] === undefined ? z.safeParse(shape[name] as z.ZodType, undefined).data : bag[name];
    if (value !== undefined) parts[name] = value;
  }
  return parts;
}

/** Returns the identity from a bag of inputs or outputs. @internal */
export const keyOf = (definition: Definition, bag: Bag): Bag => pick(definition.key, bag);

/** Returns key and config from a bag of inputs or outputs. @internal */
export const partsOf = (definition: Definition, bag: Bag): { key: Bag; config: Bag } => ({
  key: keyOf(definition, bag),
  config: pick(definition.config, bag),
});

/** Returns the connection of a checked bag. */
export const connectionOf = (bag: Bag): Connection => bag.connection as Connection;

/** Returns whether other resources may declare the same thing. */
export const isShared = ({ shared }: Bag): boolean => shared === true;

/** Returns whether the new bag has another host than the old one. Returns true if that is not known yet. */
export function isOtherHost(olds: Bag, news: Bag): boolean {
  if (news.connection === unknownValue) return true;
  const { host, port } = connectionOf(news);
  return hasUnknown([host, port]) || hostLabel(connectionOf(olds)) !== hostLabel({ host, port });
}

/** Returns the resource's Pulumi id: the host, then the id that people type. @internal */
export const idOf = (definition: Definition, bag: Bag): string =>
  `${hostLabel(connectionOf(bag))}/${definition.id(keyOf(definition, bag))}`;

/** Returns the value without undefined, which Pulumi's wire cannot carry. */
export function clean<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Returns a value as Pulumi's wire carries it, without undefined. */
export const plain = (value: unknown): unknown => (value === undefined ? undefined : clean(value));

/** Returns the computed outputs in a bag. @internal */
export const computedIn = ({ computed }: Definition, bag: Bag): Bag =>
  Object.fromEntries(Object.entries(bag).filter(([name]) => computed?.names.includes(name)));

/** Returns a bag without some names. */
export const without = (bag: Bag, names: readonly string[]): Bag =>
  Object.fromEntries(Object.entries(bag).filter(([name]) => !names.includes(name)));
