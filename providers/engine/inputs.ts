import { z } from "zod";
import { type Connection, connection, hostLabel } from "../../src/ssh/connection.js";
import { type Rival, rivals } from "../../src/values/conflicts.js";
import { errorMap, type Problem, problemsOf, showPath } from "../../src/values/problem.js";
import type { Definition } from "./define.js";

/** A property bag as Pulumi hands it over. */
export type Bag = Record<string, unknown>;

/** What every resource takes besides its own. */
export interface Common {
  /** How to reach the host. Another `host` or `port` is another host, and replaces. */
  connection: Connection;
  /** Take over what is there already with other settings, instead of refusing. Default false. */
  adopt?: boolean;
  /**
   * Programs that may run on the host although they take its IPVS table for their own, because they are known to leave this
   * entry alone (a keepalived that does nothing but VRRP, say). Default: none, and where one runs nothing is written.
   */
  alongside?: Rival[];
  /** Whether it comes back when the host reboots, by a unit and files of our own (/etc/pulumi-lvs). Default true. */
  persist?: boolean;
}

/** The owner of what is only read. */
export const nobody = "somebody";

/** @internal */
export const common = {
  connection,
  adopt: z.boolean().optional(),
  alongside: z.array(z.enum(rivals)).optional(),
  persist: z.boolean().default(true),
  /** `project/stack/name`, by the constructor: whose it is, as the host keeps it in lines of text. */
  owner: z
    .string()
    .min(1, "must not be empty")
    .max(500)
    // a line of a file on the host, in UTF-8
    .regex(
      /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u,
      "has a line break, or what is no character: give the resource another name",
    )
    .default(nobody),
};

/** What Pulumi puts in the place of a value that a preview does not know yet; it may stand anywhere inside a property. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether such a value is anywhere in this one. */
export const hasUnknown = (value: unknown): boolean =>
  value === unknownValue ||
  (typeof value === "object" && value !== null && Object.values(value).some(hasUnknown));

const shapeOf = (definition: Definition): Record<string, z.ZodType> => ({
  ...common,
  ...(definition.key.shape as Record<string, z.ZodType>),
  ...(definition.config.shape as Record<string, z.ZodType>),
});

/** Names of every property that the resource takes. @internal */
export const propertiesOf = (definition: Definition): string[] => Object.keys(shapeOf(definition));

/** Inputs with every default filled in and every value in canonical form, and what is wrong with them. Pure. @internal */
export function checkInputs(definition: Definition, given: Bag): { inputs: Bag; problems: Problem[] } {
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
      problems.push({ path: showPath([name]), reason: "is not a known property" });
  }
  const { key, config } = partsOf(definition, inputs);
  if (problems.length > 0 || hasUnknown(key)) return { inputs, problems };
  if (!hasUnknown(config)) problems.push(...(definition.problems?.(key, config) ?? []));
  if (problems.length === 0) {
    // what is not known yet has no part in defaults
    const known = Object.fromEntries(Object.entries(config).filter(([, value]) => !hasUnknown(value)));
    definition.complete?.(key, known);
    for (const [name, value] of Object.entries({ ...key, ...known }))
      if (!hasUnknown(inputs[name])) inputs[name] = value;
  }
  return { inputs, problems };
}

/** Key and config out of a bag of inputs or outputs. @internal */
export function partsOf(definition: Definition, bag: Bag): { key: Bag; config: Bag } {
  // what an older version did not know has its default, so that an upgrade by itself changes nothing
  const pick = (schema: z.ZodObject) =>
    Object.fromEntries(
      Object.entries(schema.shape).flatMap(([name, field]) => {
        const value = bag[name] === undefined ? z.safeParse(field, undefined).data : bag[name];
        return value === undefined ? [] : [[name, value]];
      }),
    );
  return { key: pick(definition.key), config: pick(definition.config) };
}

/** The connection in a checked bag. */
export const connectionOf = (bag: Bag): Connection => bag.connection as Connection;

/** Whether the new bag is about another machine than the old one; so too where that is not known yet. */
export function isOtherHost(olds: Bag, news: Bag): boolean {
  if (news.connection === unknownValue) return true;
  const { host, port } = connectionOf(news);
  return hasUnknown([host, port]) || hostLabel(connectionOf(olds)) !== hostLabel({ host, port });
}

/** The resource's Pulumi id: what one would type, with the host in front. @internal */
export const idOf = (definition: Definition, bag: Bag): string =>
  `${hostLabel(connectionOf(bag))}/${definition.id(partsOf(definition, bag).key)}`;

/** Without what Pulumi's wire cannot carry: undefined anywhere. */
export function clean<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
