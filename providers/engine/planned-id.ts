import * as pulumi from "@pulumi/pulumi";
import type { Definition } from "./define.js";
import {
  type Bag,
  checkInputs,
  clean,
  hasUnknown,
  idOf,
  keyOf,
  propertiesOf,
  unknownValue,
} from "./inputs.js";

/** An output with the parts that Pulumi's own classes use. */
type Inner<T> = pulumi.Output<T> & {
  readonly isKnown: Promise<boolean>;
  readonly isSecret: Promise<boolean>;
  resources(): Set<pulumi.Resource>;
  promise(withUnknowns?: boolean): Promise<T>;
  allResources(): Promise<Set<pulumi.Resource>>;
};

const inner = <T>(value: unknown) => pulumi.output(value) as Inner<T>;

/** Returns whether a value has no output or promise inside. An output is expensive: Pulumi takes a stack trace for each. */
function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  const made: unknown = Object.getPrototypeOf(value);
  return (made === Object.prototype || Array.isArray(value)) && Object.values(value).every(isPlain);
}

/** Returns a value without outputs, or Pulumi's placeholder if it has an unknown part. */
async function knownValue(value: unknown): Promise<unknown> {
  if (isPlain(value)) return value;
  const output = inner<unknown>(value);
  return (await output.isKnown) ? output.promise() : unknownValue;
}

/** Returns host and port of a connection. Its other fields take no part in an id, and may be secret. */
async function endpointOf(connection: unknown): Promise<Bag> {
  const known = (
    pulumi.Output.isInstance(connection) ? await knownValue(connection) : await connection
  ) as Bag;
  if (typeof known !== "object" || known === null) return { host: unknownValue };
  const [host, port] = await Promise.all([knownValue(known.host), knownValue(known.port)]);
  return port === undefined ? { host } : { host, port };
}

/** Returns the id that a resource will have, or undefined if its arguments do not determine that yet. */
async function plannedId(definition: Definition, args: Bag): Promise<string | undefined> {
  const names = propertiesOf(definition).filter((name) => name !== "connection" && args[name] !== undefined);
  const values = await Promise.all(names.map((name) => knownValue(args[name])));
  const given = Object.fromEntries(names.map((name, i) => [name, values[i]]));
  const connection = await endpointOf(args.connection);
  const { inputs, problems } = checkInputs(definition, clean({ ...given, connection }));
  if (problems.length > 0 || hasUnknown([connection, keyOf(definition, inputs)])) return undefined;
  return idOf(definition, inputs);
}

/**
 * Gives a resource its id in a preview, where Pulumi does not know it before the creation. So what refers to
 * the id is known and checked, too.
 */
export function withPlannedId(resource: pulumi.CustomResource, definition: Definition, args: Bag): void {
  const own = resource.id as Inner<string>;
  const planned = plannedId(definition, args).catch(() => undefined);
  const id = Promise.all([own.isKnown, own.promise(), planned]).then(([isKnown, known, other]) => ({
    isKnown: isKnown || other !== undefined,
    value: isKnown ? known : (other as string),
  }));
  const Output = pulumi.Output as unknown as new (...parts: unknown[]) => pulumi.Output<string>;
  (resource as { id: pulumi.Output<string> }).id = new Output(
    own.resources(),
    id.then(({ value }) => value),
    id.then(({ isKnown }) => isKnown),
    own.isSecret,
    own.allResources(),
  );
}
