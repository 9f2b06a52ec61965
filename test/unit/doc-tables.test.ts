import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { stackSchema } from "../../stacks/stack-schema.js";
import { definitions } from "../fake/definitions.js";

const docs = join(__dirname, "../../docs");

/** A JSON Schema, as far as this test reads it. */
interface Schema {
  readonly properties?: Record<string, Schema>;
  readonly items?: Schema;
  readonly anyOf?: Schema[];
  readonly oneOf?: Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
}

interface Row {
  readonly names: string[];
  readonly type: string;
  readonly fallback: string;
}

/** Returns the rows of each table of fields below a heading. */
function tablesOf(page: string, heading: string): Row[][] {
  const text = readFileSync(join(docs, page), "utf8");
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(/^\| (?:field|input|argument)[^\n]*\n\|[^\n]*\n((?:\|[^\n]*\n)+)/gm)].map(
    ([, rows = ""]) =>
      rows
        .trim()
        .split("\n")
        .map((row) => {
          const [, name = "", type = "", fallback = ""] = row.split(/(?<!\\)\|/).map((cell) => cell.trim());
          return { names: [...name.matchAll(/`([^`]+)`/g)].map(([, one = ""]) => one), type, fallback };
        }),
  );
}

const formsOf = (schema: Schema): Schema[] => [
  schema,
  ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(formsOf),
];

/** Returns the schemas of a field such as `services[].persistence.timeout`. */
const fieldsAt = (schema: Schema, path: string): Schema[] =>
  path
    .split(/\.|(?=\[\])/)
    .reduce(
      (at, part) =>
        at.flatMap(formsOf).flatMap((one) => (part === "[]" ? one.items : one.properties?.[part]) ?? []),
      [schema],
    );

/** Returns the ranges of a field that a row does not name. */
function rangeProblems({ type }: Row, schemas: Schema[]): string[] {
  const forms = schemas.flatMap(formsOf).flatMap((one) => [one, one.items ?? {}]);
  const ranges = [...type.matchAll(/(?<![\w.])(\d+)-(\d+)\b/g)].map(([, low, high]) => [
    Number(low),
    Number(high),
  ]);
  return forms
    .filter(({ minimum, maximum }) => minimum !== undefined && maximum !== Number.MAX_SAFE_INTEGER)
    .filter(
      ({ minimum, maximum }) =>
        !ranges.some(
          ([low, high]) =>
            high === maximum && (low === minimum || (minimum === 0 && low === 1 && /\b0\b/.test(type))),
        ),
    )
    .map(({ minimum, maximum }) => `${minimum}-${maximum}`);
}

const schemaOf = (kind: string): Schema => {
  const definition = [...definitions.values()].find((one) => one.kind === kind);
  const shape = { ...definition?.key.shape, ...definition?.config.shape };
  return z.toJSONSchema(z.strictObject(shape), { io: "input", unrepresentable: "any" }) as Schema;
};

describe("docs/resources.md", () => {
  test.each([...definitions.values()].map(({ kind }) => kind))(
    "the table of %s has each field, its range and its default",
    (kind) => {
      const [first = [], ...others] = tablesOf("resources.md", kind);
      const schema = schemaOf(kind);
      const rows = [
        ...first,
        // HealthMonitor has a table for each of these maps
        ...others.flatMap((table, i) =>
          table.map((row) => ({
            ...row,
            names: row.names.map((name) => `${["sorryServer", "check"][i]}.${name}`),
          })),
        ),
      ];
      const named = rows.flatMap(({ names }) => names);
      expect(named).toEqual(
        expect.arrayContaining(Object.keys(schema.properties ?? {}).filter((name) => name !== "agent")),
      );
      for (const row of rows)
        for (const name of row.names.filter((one) => one !== "connection")) {
          const fields = fieldsAt(schema, name);
          expect(fields, name).not.toEqual([]);
          expect([name, rangeProblems(row, fields)]).toEqual([name, []]);
          for (const { default: value } of fields)
            if (["number", "boolean", "string"].includes(typeof value))
              expect([name, row.fallback]).toEqual([name, expect.stringContaining(String(value))]);
        }
    },
  );
});

describe("docs/configuration.md", () => {
  const { clusters } = stackSchema().definitions as unknown as Record<
    string,
    { additionalProperties: Schema }
  >;
  const cluster = clusters?.additionalProperties as Schema;

  test.each([
    ["Both kinds", ""],
    ["probe", "probe."],
    ["kind: dr", ""],
    ["kind: nat", ""],
  ])("the table of %s has fields of the schema, and their ranges", (heading, prefix) => {
    const rows = tablesOf("configuration.md", heading).flat();
    expect(rows).not.toEqual([]);
    for (const row of rows)
      for (const name of row.names) {
        const fields = fieldsAt(cluster, `${prefix}${name}`);
        expect(fields, name).not.toEqual([]);
        expect([name, rangeProblems(row, fields)]).toEqual([name, []]);
      }
  });
});

/** Returns the doc comment of each member of the interfaces in a file, by interface and member. */
function commentsIn(file: string): Map<string, [name: string, comment: string][]> {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  return new Map(
    source.statements.filter(ts.isInterfaceDeclaration).map((declared) => [
      declared.name.text,
      declared.members.filter(ts.isPropertySignature).map((member) => [
        member.name.getText(),
        ts
          .getJSDocCommentsAndTags(member)
          .map((node) => node.getText())
          .join(" "),
      ]),
    ]),
  );
}

const providers = join(__dirname, "../../providers");

describe("doc comments", () => {
  test.each([...definitions])("of the arguments of %s name each field's range", (name, { kind }) => {
    const file = [`${name}.ts`, `${name}/index.ts`].map((path) => join(providers, path)).find(existsSync);
    const schema = schemaOf(kind);
    const comments = commentsIn(file ?? name).get(`${kind}Args`) ?? [];
    expect(comments).not.toEqual([]);
    for (const [field, type] of comments)
      expect([field, rangeProblems({ names: [field], type, fallback: "" }, fieldsAt(schema, field))]).toEqual(
        [field, []],
      );
  });

  test.each([
    ["virtual-service.ts", "Persistence", "VirtualService", "persistence"],
    ["real-server/drain.ts", "Drain", "RealServer", "drain"],
    ["health-monitor/sorry-server.ts", "SorryServer", "HealthMonitor", "sorryServer"],
    ["../src/health/check.ts", "HealthCheck", "HealthMonitor", "check"],
    ["service-probe/index.ts", "ProbeSpread", "ServiceProbe", "spread"],
  ])("of %s name each range of a %s", (file, declared, kind, at) => {
    const comments = commentsIn(join(providers, file)).get(declared) ?? [];
    expect(comments).not.toEqual([]);
    for (const [field, type] of comments)
      expect([
        field,
        rangeProblems({ names: [field], type, fallback: "" }, fieldsAt(schemaOf(kind), `${at}.${field}`)),
      ]).toEqual([field, []]);
  });
});
