import type { Facts } from "../../src/facts/facts.js";
import type { Definition } from "./define.js";
import { type Bag, clean } from "./inputs.js";

/**
 * A change that could be neither finished nor taken back. Pulumi keeps `properties`, so that refresh, up and destroy go on
 * from what is really there; without `__provider` among them nothing could (the CLI would find no provider to ask).
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

/** What is there after a failure; undefined too where that cannot be read, which may be why it failed. */
export function there(definition: Definition, facts: Facts, key: Bag, want: Bag): Bag | undefined {
  try {
    return definition.read(facts, key, want) as Bag | undefined;
  } catch {
    return undefined;
  }
}
