import * as pulumi from "@pulumi/pulumi";
import { engineOutputs } from "../providers/engine/flags.js";
import { isOurs, nameIn } from "./deployment.js";
import type { Declaration, Declared } from "./previous-program.js";
import { withSecrets } from "./secrets.js";

/** Returns a program that redeclares resources from their state. */
export function redeclare({
  resources,
  outputs,
  oneByOne,
}: Declared): () => Promise<Record<string, unknown>> {
  return async () => {
    const made = new Map<string, pulumi.Resource>();
    const seen = new Set(resources.map(({ entry }) => entry.urn));
    for (const declaration of resources) {
      const resource = declare(declaration, made);
      made.set(declaration.entry.urn, resource);
      const undeclared = needs(declaration).filter((urn) => !seen.has(urn));
      for (const urn of undeclared) seen.add(urn);
      if (oneByOne || undeclared.length > 0 || !isOurs(declaration.entry)) await untilRegistered(resource);
    }
    return withPulumiSecrets(outputs) as Record<string, unknown>;
  };
}

/**
 * Waits until a resource is registered. With the first resource that needs an undeclared one, the engine
 * writes the undeclared one into state, too. The next resource that needs it must come later. Otherwise the
 * engine writes that one first, and no run of Pulumi can read a state in this order.
 */
const untilRegistered = (resource: pulumi.Resource): Promise<unknown> =>
  (resource.urn as unknown as { promise(): Promise<string> }).promise().catch(() => undefined);

const needs = ({
  entry: { dependencies = [], propertyDependencies = {}, deletedWith },
}: Declaration): string[] => [
  ...dependencies,
  ...Object.values(propertyDependencies).flatMap((urns) => urns ?? []),
  ...(deletedWith ? [deletedWith] : []),
];

type Made = ReadonlyMap<string, pulumi.Resource>;

class Custom extends pulumi.CustomResource {}

class Provider extends pulumi.ProviderResource {}

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
  if (!custom)
    return new Component(type, name, inputs, withPulumiSecrets(outputs ?? {}) as pulumi.Inputs, opts);
  if (type.startsWith("pulumi:providers:"))
    return new Provider(type.split(":")[2] as string, name, inputs, opts);
  return new Custom(type, name, inputs, external && id ? { ...opts, id } : opts);
}

/**
 * Returns a dependency. It may be declared in the program, or exist in state only, because it belongs to
 * another package.
 */
const dependencyOn = (urn: string, made: Made): pulumi.Resource =>
  made.get(urn) ?? new pulumi.DependencyResource(urn);

function inputsOf({ entry }: Declaration, made: Made): pulumi.Inputs {
  const { inputs = {}, propertyDependencies = {} } = entry;
  // The flags of a refresh are not arguments.
  const given = Object.entries(inputs).filter(([name]) => !isOurs(entry) || !engineOutputs.includes(name));
  return Object.fromEntries(
    given.map(([name, value]) => {
      const on = (propertyDependencies[name] ?? []).map((urn) => dependencyOn(urn, made).urn);
      return [
        name,
        on.length === 0
          ? withPulumiSecrets(value)
          : pulumi.all(on).apply(() => pulumi.output(withPulumiSecrets(value))),
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
    dependsOn: dependencies.map((urn) => dependencyOn(urn, made)),
    ...(place ? { parent: place } : {}),
    ...(own ? { provider: own as pulumi.ProviderResource } : {}),
    ...(aliases.length > 0 ? { aliases: [...aliases] } : {}),
    ...(deletedWith ? { deletedWith: dependencyOn(deletedWith, made) } : {}),
    ...(additionalSecretOutputs ? { additionalSecretOutputs: [...additionalSecretOutputs] } : {}),
    // Set in any case, because the default would come from the parent.
    protect: protect ?? false,
    retainOnDelete: retainOnDelete ?? false,
    ...plugin,
  };
}

/** Returns a value of an export, with its secrets marked as such. */
const withPulumiSecrets = (value: unknown): unknown => withSecrets(value, (secret) => pulumi.secret(secret));
