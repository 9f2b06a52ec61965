// Tables of fields in Markdown: the form of each from its schema, the words from its doc comment.
import type { Fields } from "./doc-comments.mts";

/** A JSON Schema, as far as tables need it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
}

/** A field, `persistence.timeout` or `services[].port`. */
export interface Row {
  readonly name: string;
  /** The values that it takes: `0-65535`, `text`. */
  readonly form: string;
  readonly isRequired: boolean;
  readonly fallback: string;
  readonly text: string;
  /** The whole doc comment, which an editor shows. */
  readonly comment: string;
  readonly schema: Schema;
}

/** Returns the forms that a value may have. */
export const alternatives = (schema: Schema): Schema[] => {
  const { type } = schema;
  const inner =
    typeof type === "object"
      ? type.map((one) => ({ ...schema, type: one }))
      : [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return inner.length > 0 ? inner.flatMap(alternatives) : [schema];
};

const code = (value: unknown): string => `\`${value === "" ? '""' : value}\``;

function formOfOne(schema: Schema): string {
  const { type, minimum, maximum = Number.MAX_SAFE_INTEGER, items } = schema;
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum) return schema.enum.map(code).join(", ");
  if (type === "null") return "`null`";
  if (type === "string") return "text";
  if (type === "array") return `list of ${items ? formOf(items) : "values"}`;
  if (type === "integer" || type === "number")
    return maximum < Number.MAX_SAFE_INTEGER ? `${minimum}-${maximum}` : `number from ${minimum}`;
  if (type === "object" || schema.$ref) return schema.properties || schema.$ref ? "object" : "map";
  return typeof type === "string" ? type : "any";
}

/** Returns the values that a schema takes, in a few words. */
const formOf = (schema: Schema): string => {
  const forms = [...new Set(alternatives(schema).map(formOfOne))];
  return forms.length > 1 ? `${forms.slice(0, -1).join(", ")} or ${forms.at(-1)}` : forms.join();
};

const sentence = /(?:^|\s)Default:? (.+?)\.(?=\s|$)/;

/** Returns the default in words, and the doc comment without it. */
function splitDefault(comment: string, schema: Schema): { fallback: string; text: string } {
  const fallback = sentence.exec(comment)?.[1];
  if (fallback !== undefined) return { fallback, text: comment.replace(sentence, "").trim() };
  const named = /(`[^`]+`) \([^)]*\bdefault\)/.exec(comment)?.[1];
  const given = schema.default === undefined ? "" : code(schema.default);
  return { fallback: named ?? given, text: comment };
}

// The column before it has the range.
const withoutRange = (text: string, form: string): string =>
  /^\d+-\d+$/.test(form) ? text.replace(new RegExp(`, ${form}(?=[.:])| ${form}\\.(?=\\s|$)`), "") : text;

/** Returns a row for each field of a schema, and for each field inside of it except those of `closed`. */
export function rowsOf(schema: Schema, fields: Fields, closed: readonly string[] = [], before = ""): Row[] {
  // In the order of the type. A schema that takes fields from several others has one of its own.
  const order = [...fields.keys()];
  const properties = Object.entries(schema.properties ?? {}).sort(
    ([a], [b]) => order.indexOf(a) - order.indexOf(b),
  );
  return properties.flatMap(([name, of]) => {
    const field = fields.get(name);
    const form = formOf(of);
    const comment = field?.text ?? "";
    const { fallback, text } = splitDefault(comment, of);
    const isRequired = schema.required?.includes(name) ?? false;
    const row = { name: `${before}${name}`, form, isRequired, fallback, comment, schema: of };
    const inner = alternatives(of).flatMap((one) => {
      if (closed.includes(name)) return [];
      if (one.type !== "array") return one.properties ? [{ at: `${name}.`, schema: one }] : [];
      const elements = alternatives(one.items ?? {}).filter(({ properties }) => properties);
      return elements.map((element) => ({ at: `${name}[].`, schema: element }));
    });
    return [
      { ...row, text: withoutRange(text, form) },
      ...inner.flatMap(({ at, schema: one }) =>
        rowsOf(one, field?.inside() ?? new Map(), closed, `${before}${at}`),
      ),
    ];
  });
}

/** Returns a row for each field of a type and of what it contains. */
export const outputsOf = (fields: Fields, before = ""): { name: string; text: string }[] =>
  [...fields].flatMap(([name, field]) => [
    { name: `${before}${name}`, text: field.text },
    // The values of a map are those of another resource.
    ...(field.isMap ? [] : outputsOf(field.inside(), `${before}${name}${field.isList ? "[]" : ""}.`)),
  ]);

/** A table: its head, and its rows. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Returns a table in Markdown whose columns are aligned, as the formatter of this repository wants it. */
export function printTable({ head, rows }: Table): string {
  const all = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, i) => Math.max(3, ...all.map((row) => [...(row[i] ?? "")].length)));
  const lines = all.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`);
  lines.splice(1, 0, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`);
  return lines.join("\n");
}

/** Returns a table of outputs. */
export const outputTable = (rows: readonly { name: string; text: string }[]): Table[] => [
  { head: ["output", "meaning"], rows: rows.map(({ name, text }) => [code(name), text]) },
];

/** Returns two tables of fields: the required ones, and the optional ones with their defaults. */
export function inputTables(rows: readonly Row[], what: string): Table[] {
  // A field of an object stands under it, required or not.
  const top = (row: Row) => rows.find(({ name }) => name === row.name.split(/\[\]\.|\./)[0]) ?? row;
  const required = rows.filter((row) => top(row).isRequired);
  const optional = rows.filter((row) => !required.includes(row));
  const table = (word: string, some: readonly Row[]): Table[] => {
    const hasDefaults = some.some(({ isRequired }) => !isRequired);
    const cells = ({ name, form, isRequired, fallback, text }: Row) => [
      ...[code(name), form],
      ...(hasDefaults ? [isRequired ? "required" : fallback] : []),
      text,
    ];
    const head = [`${word} ${what}`, "form", ...(hasDefaults ? ["default"] : []), "meaning"];
    return some.length > 0 ? [{ head, rows: some.map(cells) }] : [];
  };
  return [...table("required", required), ...table("optional", optional)];
}
