import type { Definition } from "./define.js";
import { type Bag, hasUnknown, partsOf } from "./inputs.js";

/** Returns the inputs of a thing of another kind that a resource declares, too. */
export const inputsOfPart = ({ connection, adopt, persist, owner }: Bag, fields: Bag): Bag => ({
  ...{ connection, adopt, persist, owner },
  ...fields,
});

/** Returns the parts of a resource with their inputs, as far as they are known. */
export function partInputs(definition: Definition, inputs: Bag): { definition: Definition; inputs: Bag }[] {
  const { key, config } = partsOf(definition, inputs);
  if (!definition.parts || hasUnknown([key, config])) return [];
  return definition
    .parts(key, config)
    .map((part) => ({ definition: part.definition, inputs: inputsOfPart(inputs, part.fields) }));
}
