import type { Facts } from "../../src/facts/facts.js";
import type { Definition } from "./define.js";
import { type Bag, clean } from "./inputs.js";

/**
 * A change that could neither be completed nor undone. Pulumi keeps `properties`, so refresh, up and destroy
 * continue from the real state. They need `__provider` in it: without it the CLI finds no provider.
 */
export class HalfDoneError extends Error {
  readonly properties: Bag;
  readonly reasons: readonly string[];
  constructor(
    readonly id: string,
    properties: Bag,
    inputs: Bag,
    reason: string,
  ) {
    super(reason);
    this.properties = clean({ ...properties, __provider: inputs.__provider });
    this.reasons = [reason];
  }
}

/**
 * Returns the state after a failure. Returns undefined if it is absent or cannot be read, which may be the
 * cause of the failure.
 */
export function readAfterFailure(definition: Definition, facts: Facts, key: Bag, want: Bag): Bag | undefined {
  try {
    return definition.read(facts, key, want) as Bag | undefined;
  } catch {
    return undefined;
  }
}
