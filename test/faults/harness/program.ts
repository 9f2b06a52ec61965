import * as pulumi from "@pulumi/pulumi";
import type { Definition } from "../../../providers/engine/define.js";
import { type Bag, checkInputs, clean, idOf } from "../../../providers/engine/inputs.js";
import { definitions } from "../../support/fake/definitions.js";

/** A resource as a program declares it. */
export interface Goal {
  readonly name: string;
  readonly kind: string;
  readonly inputs: Bag;
  /** Names of those that must be there before it. */
  readonly dependencies: readonly string[];
}

const byKind = new Map([...definitions.values()].map((definition) => [definition.kind, definition]));

export function definitionOf(kind: string): Definition {
  const definition = byKind.get(kind);
  if (!definition) throw new Error(`there is no ${kind}`);
  return definition;
}

interface Request {
  getName(): string;
  getType(): string;
  getParent(): string;
  getDependenciesList(): string[];
}

/**
 * What a program declares, taken from the program itself: the components run under Pulumi's mocks, which give every resource
 * the id that it would get. Dependencies are in the requests that mocks do not show, so these are looked at on their way.
 */
export async function declared(run: () => void): Promise<Goal[]> {
  const inputs = new Map<string, Bag>();
  const goals: Goal[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, type, inputs: given }) => {
        const kind = /^pulumi-nodejs:dynamic\/lvs:(\w+)$/.exec(type)?.[1];
        if (!kind) return { id: undefined, state: {} };
        const definition = definitionOf(kind);
        inputs.set(name, clean(given));
        return { id: idOf(definition, checkInputs(definition, given).inputs), state: given };
      },
      call: () => ({}),
    },
    "project",
    "stack",
  );
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource(request: Request, done: unknown): Promise<void>;
  };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = async (request, done) => {
    await register(request, done);
    const name = request.getName();
    const given = inputs.get(name);
    if (!given) return;
    goals.push({
      name,
      kind: request.getType().split(":").at(-1) as string,
      inputs: given,
      dependencies: request.getDependenciesList().map((urn) => urn.split("::").at(-1) as string),
    });
  };
  try {
    run();
  } finally {
    await pulumi.runtime.disconnect();
  }
  return goals;
}
