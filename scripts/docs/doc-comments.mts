// The doc comments of TypeScript types, read from their text alone: a type checker would take seconds.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/** A field of a type. */
interface Field {
  /** Its doc comment in one line, or nothing. */
  readonly text: string;
  /** Whether it is a list. */
  readonly isList: boolean;
  /** Whether it is a map of names to values. */
  readonly isMap: boolean;
  /** Returns the fields of its value, or of its elements. */
  inside(): Fields;
}

export type Fields = ReadonlyMap<string, Field>;

type Declared = ts.InterfaceDeclaration | ts.TypeAliasDeclaration;

/** Types that are transparent here: their fields are those of their first argument, of Record the second. */
const wrappers = new Map([
  ...["Input", "Output", "Inputs", "Partial", "Readonly", "ReadonlyArray"].map((name) => [name, 0] as const),
  ["Record", 1],
]);

/** Returns the doc comment of a node in one line. */
export function commentOf(node: ts.Node): string {
  const docs = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  return (ts.getTextOfJSDocComment(docs.at(-1)?.comment) ?? "").replace(/\s+/g, " ").trim();
}

/** Returns the syntax of a file, with parents. */
export const parse = (file: string): ts.SourceFile =>
  ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);

const fileOf = (node: ts.Node): string => node.getSourceFile().fileName;

/** Returns the fields of both. The first one that has a doc comment counts. */
function merged(parts: readonly Fields[]): Fields {
  const all = new Map<string, Field>();
  for (const [name, field] of parts.flatMap((part) => [...part])) {
    const before = all.get(name);
    all.set(
      name,
      before
        ? {
            text: before.text || field.text,
            isList: before.isList || field.isList,
            isMap: before.isMap || field.isMap,
            inside: () => merged([before.inside(), field.inside()]),
          }
        : field,
    );
  }
  return all;
}

const namesIn = (type: ts.TypeNode | undefined): string[] =>
  (type && ts.isUnionTypeNode(type) ? [...type.types] : [type]).flatMap((one) =>
    one && ts.isLiteralTypeNode(one) && ts.isStringLiteral(one.literal) ? [one.literal.text] : [],
  );

/**
 * Reads the exported types of files. The function that it returns gives the fields of a type by its name, those
 * of what it extends too.
 */
function readTypes(files: readonly string[]): (name: string) => Fields {
  // Most files declare no type that is needed, and parsing is slow.
  const exporters = new Map<string, string>();
  for (const file of files)
    for (const [, name = ""] of readFileSync(file, "utf8").matchAll(/^export (?:interface|type) (\w+)/gm))
      exporters.set(name, file);
  const parsed = new Map<string, Map<string, Declared>>();
  const typesIn = (file: string | undefined): Map<string, Declared> | undefined => {
    if (file === undefined) return undefined;
    const known = parsed.get(file);
    if (known) return known;
    const types = parse(file).statements.filter(
      (node) => ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node),
    );
    const named = new Map(types.map((node) => [node.name.text, node]));
    parsed.set(file, named);
    return named;
  };
  const declarationOf = (name: string, file: string | undefined): Declared | undefined =>
    typesIn(file)?.get(name) ?? typesIn(exporters.get(name))?.get(name);

  const ofMembers = (members: readonly ts.TypeElement[]): Fields =>
    new Map(
      members.filter(ts.isPropertySignature).map((member) => [
        member.name.getText(),
        {
          text: commentOf(member),
          isList: member.type !== undefined && isList(member.type),
          isMap: member.type !== undefined && isMap(member.type),
          inside: () => ofType(member.type),
        },
      ]),
    );

  const isList = (type: ts.TypeNode): boolean => {
    if (ts.isParenthesizedTypeNode(type) || ts.isTypeOperatorNode(type)) return isList(type.type);
    if (ts.isUnionTypeNode(type)) return type.types.some(isList);
    const [inner] = ts.isTypeReferenceNode(type) ? (type.typeArguments ?? []) : [];
    return ts.isArrayTypeNode(type) || (inner !== undefined && !isMap(type) && isList(inner));
  };
  const isMap = (type: ts.TypeNode): boolean => /^(\w+\.)*(Output<|Input<)?Record</.test(type.getText());

  const ofReference = (name: string, given: readonly ts.TypeNode[], file?: string): Fields => {
    const last = name.split(".").at(-1) ?? name;
    const at = wrappers.get(last);
    if (at !== undefined) return ofType(given[at]);
    if (last === "Pick" || last === "Omit") {
      const names = namesIn(given[1]);
      return new Map([...ofType(given[0])].filter(([field]) => names.includes(field) === (last === "Pick")));
    }
    // The one type that a mapped type makes.
    const node = declarationOf(last === "ConnectionInput" ? "Connection" : last, file);
    if (!node) return new Map();
    if (ts.isTypeAliasDeclaration(node)) return ofType(node.type);
    const above = (node.heritageClauses ?? []).flatMap(({ types }) => [...types]);
    return merged([
      ofMembers([...node.members]),
      ...above.map((one) => ofReference(one.expression.getText(), one.typeArguments ?? [], fileOf(one))),
    ]);
  };

  const ofType = (type: ts.TypeNode | undefined): Fields => {
    if (type === undefined) return new Map();
    if (ts.isParenthesizedTypeNode(type) || ts.isTypeOperatorNode(type)) return ofType(type.type);
    if (ts.isArrayTypeNode(type)) return ofType(type.elementType);
    if (ts.isUnionTypeNode(type) || ts.isIntersectionTypeNode(type)) return merged(type.types.map(ofType));
    if (ts.isTypeLiteralNode(type)) return ofMembers([...type.members]);
    if (ts.isTypeReferenceNode(type))
      return ofReference(type.typeName.getText(), type.typeArguments ?? [], fileOf(type));
    if (ts.isIndexedAccessTypeNode(type)) {
      const [name = ""] = namesIn(type.indexType);
      return ofType(type.objectType).get(name)?.inside() ?? new Map();
    }
    return new Map();
  };

  return (name) => {
    if (!exporters.has(name)) throw new Error(`no file exports a type ${name}`);
    return ofReference(name, []);
  };
}

/** Returns the fields of each type of the package, by its name. */
export const typesIn = (repository: string): ((name: string) => Fields) =>
  readTypes(
    globSync("{providers,stacks,src}/**/*.ts", { cwd: repository })
      .sort()
      .map((file) => join(repository, file)),
  );
