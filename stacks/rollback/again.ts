import * as pulumi from "@pulumi/pulumi";
import type { Declaration, Declared } from "./declared.js";
import { nameIn } from "./deployment.js";

/** A program that declares resources again from what state says of them. */
export function again({ resources, outputs }: Declared): () => Promise<Record<string, unknown>> {
  return async () => {
    const made = new Map<string, pulumi.Resource>();
    for (const declaration of resources) made.set(declaration.entry.urn, declare(declaration, made));
    return revived(outputs) as Record<string, unknown>;
  };
}

type Made = ReadonlyMap<string, pulumi.Resource>;

class Custom extends pulumi.CustomResource {
  // biome-ignore lint/complexity/noUselessConstructor: what it extends is abstract
  constructor(type: string, name: string, inputs: pulumi.Inputs, opts: pulumi.CustomResourceOptions) {
    super(type, name, inputs, opts);
  }
}

class Provider extends pulumi.ProviderResource {
  // biome-ignore lint/complexity/noUselessConstructor: what it extends is abstract
  constructor(pkg: string, name: string, inputs: pulumi.Inputs, opts: pulumi.ResourceOptions) {
    super(pkg, name, inputs, opts);
  }
}

class Component extends pulumi.ComponentResource {
  constructor(
    type: string,
    name: string,
    inputs: pulumi.Inputs,
    outputs: pulumi.Inputs,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super(type, name, inputs, opts);
    this.registerOutputs(outputs);
  }
}

function declare(declaration: Declaration, made: Made): pulumi.Resource {
  const { urn, type, custom, external, id, outputs } = declaration.entry;
  const name = nameIn(urn);
  const inputs = inputsOf(declaration, made);
  const opts = optionsOf(declaration, made);
  if (!custom) return new Component(type, name, inputs, revived(outputs ?? {}) as pulumi.Inputs, opts);
  if (type.startsWith("pulumi:providers:"))
    return new Provider(type.split(":")[2] as string, name, inputs, opts);
  return new Custom(type, name, inputs, external && id ? { ...opts, id } : opts);
}

/** What it depended on may be declared too, or be somebody else's, who is there but not in this program. */
const at = (urn: string, made: Made): pulumi.Resource => made.get(urn) ?? new pulumi.DependencyResource(urn);

function inputsOf(
  { entry: { inputs = {}, propertyDependencies = {} } }: Declaration,
  made: Made,
): pulumi.Inputs {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => {
      const on = (propertyDependencies[name] ?? []).map((urn) => at(urn, made).urn);
      return [
        name,
        on.length === 0 ? revived(value) : pulumi.all(on).apply(() => pulumi.output(revived(value))),
      ];
    }),
  );
}

function optionsOf(
  { entry, aliases, provider, plugin }: Declaration,
  made: Made,
): pulumi.CustomResourceOptions {
  const { parent, dependencies = [], protect, retainOnDelete, deletedWith, additionalSecretOutputs } = entry;
  const place = parent === undefined ? undefined : made.get(parent);
  const own = provider === undefined ? undefined : made.get(provider);
  return {
    dependsOn: dependencies.map((urn) => at(urn, made)),
    ...(place ? { parent: place } : {}),
    ...(own ? { provider: own as pulumi.ProviderResource } : {}),
    ...(aliases.length > 0 ? { aliases: [...aliases] } : {}),
    ...(deletedWith ? { deletedWith: at(deletedWith, made) } : {}),
    ...(additionalSecretOutputs ? { additionalSecretOutputs: [...additionalSecretOutputs] } : {}),
    // said either way, or it would come from the parent
    protect: protect ?? false,
    retainOnDelete: retainOnDelete ?? false,
    ...plugin,
  };
}

const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** A value of an export that shows secrets, with these marked as such again. */
export function revived(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(revived);
  const bag = value as Record<string, unknown>;
  if (bag[signature] === secretSignature) return pulumi.secret(revived(JSON.parse(bag.plaintext as string)));
  return Object.fromEntries(Object.entries(bag).map(([name, inner]) => [name, revived(inner)]));
}
