import { Declarations } from "./declarations.js";
import type { Definition } from "./define.js";
import type { Bag } from "./inputs.js";
import { partInputs } from "./parts.js";

/** The declarations of all kinds in one run of Pulumi. */
export class Program {
  readonly #kinds = new Map<string, Declarations>();
  /** The resources that have been checked, by their owners. */
  readonly #owners = new Set<unknown>();

  of(definition: Definition): Declarations {
    const known = this.#kinds.get(definition.kind) ?? new Declarations(definition, this.#owners);
    this.#kinds.set(definition.kind, known);
    return known;
  }

  /** Notes a resource and its parts. Returns an error if another resource declares one of these. */
  declare(definition: Definition, olds: Bag, inputs: Bag): string | undefined {
    const { connection } = olds;
    let reason = this.of(definition).declare(olds, inputs);
    for (const part of reason === undefined ? partInputs(definition, inputs) : [])
      reason ??= this.of(part.definition).declare(
        connection ? { ...part.inputs, connection } : {},
        part.inputs,
      );
    return reason;
  }
}
