import * as pulumi from "@pulumi/pulumi";
import { engineOutputs } from "../providers/engine/flags.js";
import { isOurs, nameIn } from "./deployment.js";
import type { Declaration, Declared } from "./previous-program.js";
import { withSecrets } from "./secrets.js";

/** Resources by URN, on which others may depend. */
type Made = ReadonlyMap<string, pulumi.Resource>;

/**
 * Returns a program that redeclares resources from their state. Each of them is registered, also if one that it needs
 * fails: the engine then leaves it as it is. It deletes what a program that ends does not register.
 */
export function redeclare({
  resources,
  outputs,
  oneByOne,
}: Declared): () => Promise<Record<string, unknown>> {
  return async () => {
    const made = new Map<string, Promise<pulumi.Resource>>();
    const seen = new Set(resources.map(({ entry }) => entry.urn));
    for (const declaration of resources) {
      const { entry } = declaration;
      const needed = needs(declaration);
      const before = [...needed, entry.parent, declaration.provider].flatMap((urn) => {
        const one = urn === undefined ? undefined : made.get(urn);
        return one ? [one.then((resource) => [urn, resource] as const)] : [];
      });
      const registered = Promise.all(before).then((those) =>
        registration(entry.urn, declare(declaration, new Map(those as [string, pulumi.Resource][]))),
      );
      made.set(entry.urn, registered);
      const undeclared = needed.filter((urn) => !seen.has(urn));
      for (const urn of undeclared) seen.add(urn);
      // With the first resource that needs an undeclared one, the engine writes the undeclared one into state, too. The
      // next resource that needs it must come later. Otherwise the engine writes that one first, and no run of Pulumi
      // can read a state in this order.
      if (oneByOne || undeclared.length > 0 || !isOurs(entry)) await registered;
    }
    await Promise.all(made.values());
    return withPulumiSecrets(outputs) as Record<string, unknown>;
  };
}

/** Waits until a resource is registered. Returns it, or its place in the state if it failed. */
const registration = (urn: string, resource: pulumi.Resource): Promise<pulumi.Resource> =>
  (resource.urn as unknown as { promise(): Promise<string> }).promise().then(
    () => resource,
    () => new pulumi.DependencyResource(urn),
  );

const needs = ({
  entry: { dependencies = [], propertyDependencies = {}, deletedWith },
}: Declaration): string[] => [
  ...dependencies,
  ...Object.values(propertyDependencies).flatMap((urns) => urns ?? []),
  ...(deletedWith ? [deletedWith] : []),
];

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
    dependsOn: [
      ...dependencies.map((urn) => dependencyOn(urn, made)),
      // A provider that failed is no provider, only what the engine skips this resource for.
      ...(own && !(own instanceof Provider) ? [own] : []),
    ],
    ...(place ? { parent: place } : {}),
    ...(own instanceof Provider ? { provider: own } : {}),
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
