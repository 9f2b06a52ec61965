// Descriptions in a JSON Schema: the doc comments of the TypeScript type that has the same fields.
import ts from "typescript";

/**
 * Puts the doc comment of each field into its schema. A field without a doc comment gets no description.
 *
 * @param {Record<string, any>} schema JSON Schema of a value, changed in place
 * @param {{ file: string, type: string }} types the type of the value, and the file that declares it
 * @param {Record<string, any>} definitions schemas that `$ref` names
 */
export function describeSchema(schema, { file, type }, definitions) {
  const program = ts.createProgram([file], { strict: true, types: ["node"] });
  const checker = program.getTypeChecker();
  const declared = program
    .getSourceFile(file)
    ?.statements.find((node) => ts.isTypeAliasDeclaration(node) && node.name.text === type);
  if (!declared) throw new Error(`${file} declares no type ${type}`);
  const done = new Set();

  /** @type {(type: ts.Type) => ts.Type[]} */
  const membersOf = (type) => (type.isUnion() ? type.types.flatMap(membersOf) : [type]);

  /** @type {(schema: any, types: ts.Type[]) => void} */
  const describe = (schema, types) => {
    if (typeof schema !== "object" || schema === null || done.has(schema)) return;
    done.add(schema);
    const members = types.flatMap(membersOf);
    if (schema.$ref) describe(definitions[schema.$ref.split("/").at(-1)], members);
    for (const form of [schema.anyOf, schema.oneOf, schema.allOf].flat()) describe(form, members);
    /** @type {(kind: ts.IndexKind) => ts.Type[]} */
    const inside = (kind) => members.flatMap((member) => checker.getIndexTypeOfType(member, kind) ?? []);
    describe(schema.items, inside(ts.IndexKind.Number));
    describe(schema.additionalProperties, inside(ts.IndexKind.String));
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      const symbols = members.flatMap((member) => checker.getPropertyOfType(member, name) ?? []);
      const text = symbols
        .map((symbol) => ts.displayPartsToString(symbol.getDocumentationComment(checker)))
        .find((comment) => comment !== "");
      if (text !== undefined) field.description = text.replace(/\s+/g, " ");
      describe(
        field,
        symbols.map((symbol) => checker.getTypeOfSymbol(symbol)),
      );
    }
  };
  describe(schema, [checker.getTypeAtLocation(declared)]);
}
