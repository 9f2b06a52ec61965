// Descriptions in a JSON Schema: the doc comments of the TypeScript type that has the same fields.

/**
 * Puts the doc comment of each field into its schema. A field without a doc comment gets no description.
 *
 * @param {Record<string, any>} schema JSON Schema of a value, changed in place
 * @param {import("./docs/doc-comments.mts").Fields} fields the fields of its type; of a map or a list, those of its values
 * @param {Record<string, any>} definitions schemas that `$ref` names
 */
export function describeSchema(schema, fields, definitions) {
  const done = new Set();

  /** @type {(schema: any, fields: import("./docs/doc-comments.mts").Fields) => void} */
  const describe = (schema, fields) => {
    if (typeof schema !== "object" || schema === null || done.has(schema)) return;
    done.add(schema);
    if (schema.$ref) describe(definitions[schema.$ref.split("/").at(-1)], fields);
    for (const form of [schema.anyOf, schema.oneOf, schema.allOf].flat()) describe(form, fields);
    describe(schema.items, fields);
    describe(schema.additionalProperties, fields);
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      const field = fields.get(name);
      if (field === undefined) continue;
      if (field.text !== "") property.description = field.text;
      describe(property, field.inside());
    }
  };
  describe(schema, fields);
}
