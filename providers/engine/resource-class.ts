import { dirname } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type Connection, type Endpoint, secretFields } from "../../src/ssh/connection.js";
import { plainText } from "../../src/values/foreign.js";
import { declareOnce } from "./declarations.js";
import type { Definition } from "./define.js";
import { type Bag, type Common, checkIdentity, clean, connectionsOf, idOf, propertiesOf } from "./inputs.js";
import { withPlannedId } from "./planned-id.js";
import { providerText } from "./provider-text.js";

/** A value that may be an output, as a whole or, of a map, each field. */
type DeepInput<Value> = [NonNullable<Value>] extends [Connection]
  ? ConnectionInput | Extract<Value, null | undefined>
  : [NonNullable<Value>] extends [string | number | boolean]
    ? pulumi.Input<Value>
    : [NonNullable<Value>] extends [readonly (infer Each)[]]
      ? pulumi.Input<DeepInput<Each>[] | Extract<Value, null | undefined>>
      : [NonNullable<Value>] extends [object]
        ? pulumi.Input<Inputs<NonNullable<Value>> | Extract<Value, null | undefined>>
        : pulumi.Input<Value>;

/** The arguments, each of which may be an output of another resource. Each keeps its documentation. */
export type Inputs<Args> = {
  // A field may be absent, so what it is without that shows its kind.
  [Name in keyof Args]: DeepInput<Args[Name]>;
};

/** The arguments after creation, with all defaults. */
type Outputs<Args> = {
  readonly [Name in keyof Args]-?: pulumi.Output<Exclude<Args[Name], undefined>>;
};

/** The computed outputs of a resource, each with its documentation. */
type ComputedOutputs<Computed> = { readonly [Name in keyof Computed]: pulumi.Output<Computed[Name]> };

type EndpointInput = { [Name in keyof Omit<Endpoint, "proxy">]: pulumi.Input<Endpoint[Name]> } & {
  [Name in keyof Pick<Endpoint, "proxy">]: pulumi.Input<EndpointInput | undefined>;
};

type ConnectionFields = EndpointInput & {
  [Name in keyof Omit<Connection, keyof Endpoint>]: pulumi.Input<Connection[Name]>;
};

/** `connection`, whose fields may be outputs one by one, also in its jump hosts. */
export type ConnectionInput = pulumi.Input<ConnectionFields>;

/** The arguments of a constructor: the resource's own and those common to all. */
export type ResourceArgs<Args> = Inputs<Args & Omit<Common, "connection">> & { connection: ConnectionInput };

/** The class of one kind of resource. */
export interface ResourceClass<Args, Computed = unknown> {
  new (
    name: string,
    args: ResourceArgs<Args>,
    opts?: pulumi.CustomResourceOptions,
  ): pulumi.CustomResource &
    Outputs<Args> &
    ComputedOutputs<Computed> & { readonly connection: pulumi.Output<Connection> };
  /** @internal */
  readonly definition: Definition;
  /**
   * Returns whether a value is a resource of this class, also one from another copy of the package (for
   * policy packs).
   */
  isInstance(value: unknown): value is pulumi.CustomResource;
  /**
   * Reads an existing resource without owning it: it is never changed or deleted. Takes the fields of its
   * identity.
   */
  get(
    name: string,
    args: Partial<ResourceArgs<Args>> & { connection: ConnectionInput },
    opts?: pulumi.CustomResourceOptions,
  ): InstanceType<ResourceClass<Args, Computed>>;
}

/** Makes the class of a definition. `Computed` has the computed outputs. @internal */
export function resource<Args, Computed = unknown>(definition: Definition): ResourceClass<Args, Computed> {
  const provider = providerText(definition.kind);
  const type = `pulumi-nodejs:dynamic/lvs:${definition.kind}`;
  const names = [...propertiesOf(definition), ...(definition.computed?.names ?? [])];
  const declared = Object.fromEntries(names.map((name) => [name, undefined]));
  class LvsResource extends pulumi.CustomResource {
    static readonly definition = definition;

    static override isInstance(value: unknown): value is pulumi.CustomResource {
      return (value as { __pulumiType?: unknown } | null)?.__pulumiType === type;
    }

    static get(name: string, args: Bag, opts?: pulumi.CustomResourceOptions): LvsResource {
      const id = pulumi.output(args).apply((known) => readId(definition, name, clean(known as Bag)));
      return new LvsResource(name, args, { ...opts, id });
    }

    constructor(name: string, args: Bag, opts?: pulumi.CustomResourceOptions) {
      refuseImport(definition, name, opts);
      const owner = `${pulumi.getProject()}/${pulumi.getStack()}/${name}`;
      // A resource that is only read has no owner here.
      const own = opts?.id === undefined ? { owner } : {};
      const run = pulumi.runtime.getMonitor();
      if (opts?.id === undefined && run)
        refuseTwice(`${definition.kind} ${plainText(name)}`, () => declareOnce(run, definition, owner, args));
      const reached = Object.fromEntries(
        connectionsOf(definition).map((host) => [host, secured(args[host])]),
      );
      const props = { ...declared, ...own, ...args, ...reached, __provider: provider };
      const restore = shortenStacks();
      try {
        super(type, name, props, opts);
      } finally {
        restore();
      }
      if (opts?.id === undefined && pulumi.runtime.isDryRun()) withPlannedId(this, definition, args);
    }
  }
  return LvsResource as unknown as ResourceClass<Args, Computed>;
}

/** Returns the id of a resource that is only read. */
function readId(definition: Definition, name: string, args: Bag): string {
  const { inputs, problems } = checkIdentity(definition, args);
  if (problems.length === 0) return idOf(definition, inputs);
  const reasons = problems.map(({ path, reason }) => `${path} ${reason}`).join("; ");
  throw new pulumi.RunError(`cannot read ${definition.kind} ${plainText(name)}: ${reasons}`);
}

const providers = dirname(__dirname);

/**
 * Shortens the stacks of registrations, which Pulumi keeps in state: a kilobyte each, with frames of node,
 * ts-node and Pulumi. The first five frames, which Pulumi drops, are four of its own and one of the class. The
 * program's nearest ones show the place. This saves a third of the state, which the file backend writes after each step.
 *
 * Other stacks are left out. Pulumi takes four for each output, which only its search for leaks prints
 * (PULUMI_DEBUG_PROMISE_LEAKS), and their source maps were a fifth of the processor time of 257 resources.
 */
function shortenStacks(): () => void {
  const { prepareStackTrace: before, stackTraceLimit } = Error;
  if (process.env.PULUMI_DEBUG_PROMISE_LEAKS === undefined) Error.stackTraceLimit = 0;
  Error.prepareStackTrace = (error, frames) => {
    const ours = (frame: NodeJS.CallSite) => frame.getFileName()?.includes(providers);
    const first = frames.findIndex(ours);
    const near = frames.filter((frame, i) => i === first || !ours(frame)).slice(0, 8);
    return before
      ? before(error, near)
      : [String(error), ...near.map((frame) => `    at ${frame}`)].join("\n");
  };
  return () => {
    Error.prepareStackTrace = before;
    Error.stackTraceLimit = stackTraceLimit;
  };
}

/** Refuses the option `import`. Pulumi reads such a resource without its provider, which fails with a stack trace. */
function refuseImport({ kind }: Definition, name: string, opts?: pulumi.CustomResourceOptions): void {
  if (opts?.import === undefined) return;
  throw new pulumi.RunError(
    `cannot import ${kind} ${plainText(name)}: Pulumi cannot import resources of this package; take the option import out, and the next up takes over what is on the host (with adopt: true also what has other settings)`,
  );
}

// Throws an error without a stack, because an operator can mend it without one.
function refuseTwice(resource: string, declare: () => void): void {
  try {
    declare();
  } catch (error) {
    throw new pulumi.RunError(`cannot declare ${resource}: ${(error as Error).message}`);
  }
}

/** Returns the connection with secret fields marked, so that Pulumi encrypts them. */
export function secured(connection: unknown): unknown {
  if (pulumi.Output.isInstance(connection)) return connection.apply((known) => pulumi.output(secured(known)));
  if (connection instanceof Promise) return secured(pulumi.output(connection));
  if (typeof connection !== "object" || connection === null) return connection;
  return Object.fromEntries(
    Object.entries(connection).map(([name, value]) => {
      if (name === "proxy") return [name, secured(value)];
      const secret = (secretFields as readonly string[]).includes(name) && value !== undefined;
      return [name, secret ? pulumi.secret(value) : value];
    }),
  );
}
