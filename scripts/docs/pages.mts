// The generated parts of docs: what stands between `<!-- inputs of RealServer -->` and `<!-- end -->`.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { z } from "zod";
import { commentOf, type Fields, parse, typesIn } from "./doc-comments.mts";
import {
  inputTables,
  outputsOf,
  outputTable,
  printTable,
  type Row,
  rowsOf,
  type Schema,
  type Table,
} from "./tables.mts";

/** A kind of resource, as far as tables need it. */
export interface Kind {
  readonly kind: string;
  readonly key: z.ZodObject;
  readonly config: z.ZodObject;
  readonly shareable?: true;
}

/** The schemas of the package, from its sources or from its build. */
interface Schemas {
  readonly kinds: readonly Kind[];
  readonly common: z.ZodRawShape;
  /** The inputs of kinds that can be shared. */
  readonly sharing: z.ZodRawShape;
  readonly connection: z.ZodType;
  readonly clusters: z.ZodType;
}

const jsonOf = (schema: z.ZodType): Schema =>
  z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Schema;

/** Returns the name of a kind's file and page: `real-server`. */
const fileOf = (kind: string): string => kind.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();

/** Fields that a page of their own explains. */
const closed = ["connection", "director", "proxy"];
const closedInClusters = ["connection", "from", "health", "timeouts", "syncDaemon", "sync"];

const exported = (file: string): ts.VariableDeclaration[] =>
  parse(file)
    .statements.filter(ts.isVariableStatement)
    .flatMap((node) => [...node.declarationList.declarations]);

/** Returns the outputs that the engine adds: constants whose text is the name of an output. */
const engineOutputs = (file: string): { name: string; text: string }[] =>
  exported(file).flatMap(({ initializer, parent }) =>
    initializer && ts.isStringLiteral(initializer)
      ? [{ name: initializer.text, text: commentOf(parent.parent) }]
      : [],
  );

/** Returns the type of a class's computed outputs, by kind: `resource<RealServerArgs, RealServerOutputs>`. */
function shownTypes(file: string): Map<string, string> {
  const classes = parse(file).statements.filter(ts.isClassDeclaration);
  return new Map(
    classes.flatMap((node) => {
      const base = node.heritageClauses?.[0]?.types[0]?.expression;
      const shown = base && ts.isCallExpression(base) ? base.typeArguments?.[1] : undefined;
      return node.name && shown ? [[node.name.text, shown.getText()] as const] : [];
    }),
  );
}

/** Rows of fields by what they are of. */
interface Rows {
  readonly common: Row[];
  readonly connection: Row[];
  readonly dr: Row[];
  readonly nat: Row[];
  /** Of each kind of resource, by its name. */
  readonly kinds: ReadonlyMap<string, Row[]>;
}

/** Returns all rows of fields. */
export function allRows({ kinds, ...schemas }: Schemas, fieldsOf: (name: string) => Fields): Rows {
  const { owner: _, ...common } = schemas.common as Record<string, z.ZodType>;
  const clusters = jsonOf(schemas.clusters) as { additionalProperties: Schema };
  const cluster = (kind: string, type: string): Row[] => {
    const { oneOf, anyOf } = clusters.additionalProperties;
    const schema = (oneOf ?? anyOf ?? []).find(({ properties }) => properties?.kind?.const === kind) ?? {};
    const kindOf = [...fieldsOf("Clusters")].filter(([name]) => name === "kind");
    return rowsOf(schema, new Map([...kindOf, ...fieldsOf(type)]), closedInClusters);
  };
  return {
    common: rowsOf(jsonOf(z.strictObject(common)), fieldsOf("Common"), closed),
    connection: rowsOf(jsonOf(schemas.connection), fieldsOf("Connection"), closed),
    dr: cluster("dr", "DrClusterArgs"),
    nat: cluster("nat", "NatClusterArgs"),
    kinds: new Map(
      kinds.map(({ kind, key, config, shareable }) => {
        const more = shareable ? schemas.sharing : {};
        const shape = jsonOf(z.strictObject({ ...key.shape, ...config.shape, ...more }));
        return [kind, rowsOf(shape, fieldsOf(`${kind}Args`), closed)];
      }),
    ),
  };
}

/** Returns each generated part by its marker, such as `inputs of RealServer`. */
function partsOf(repository: string, schemas: Schemas): Map<string, Table[]> {
  const at = (path: string) => join(repository, path);
  const fieldsOf = typesIn(repository);
  const { common, connection, dr, nat, kinds } = allRows(schemas, fieldsOf);
  const shown = shownTypes(at("providers/index.ts"));
  const parts = new Map<string, Table[]>();

  parts.set("inputs of every resource", inputTables(common, "input"));
  parts.set("outputs of every resource", outputTable(engineOutputs(at("providers/engine/flags.ts"))));

  /** Puts the fields of one object, such as `drain.timeout`, into a table of their own. */
  const inside = (rows: readonly Row[], name: string) =>
    inputTables(
      rows
        .filter((row) => row.name.startsWith(`${name}.`))
        .map((row) => ({ ...row, name: row.name.slice(name.length + 1) })),
      "field",
    );

  const reached = common.filter(({ name }) => name === "connection");
  for (const [kind, own] of kinds) {
    parts.set(`inputs of ${kind}`, inputTables([...reached, ...own], "input"));
    const type = shown.get(kind);
    if (type !== undefined) parts.set(`outputs of ${kind}`, outputTable(outputsOf(fieldsOf(type))));
  }
  parts.set("fields of drain", inside(kinds.get("RealServer") ?? [], "drain"));
  parts.set("fields of Connection", inputTables(connection, "field"));

  const has = (rows: Row[], { name }: Row) => rows.some((row) => row.name === name);
  const ofProbe = ({ name }: Row) => name.startsWith("probe.");
  const only = (rows: Row[], others: Row[]) =>
    inputTables(
      rows.filter((row) => !has(others, row)),
      "field",
    );
  parts.set(
    "fields of every cluster",
    inputTables(
      dr
        .filter((row) => has(nat, row) && !ofProbe(row))
        .map((row) => (row.name === "kind" ? { ...row, form: "`dr` or `nat`" } : row)),
      "field",
    ),
  );
  parts.set("fields of probe", inside(dr, "probe"));
  parts.set("fields of kind: dr", only(dr, nat));
  parts.set("fields of kind: nat", only(nat, dr));
  for (const [kind, rows] of [
    ["DrCluster", dr],
    ["NatCluster", nat],
  ] as const) {
    parts.set(
      `inputs of ${kind}`,
      inputTables(
        rows.filter(({ name }) => name !== "kind"),
        "input",
      ),
    );
    parts.set(`outputs of ${kind}`, outputTable(outputsOf(fieldsOf("ClusterOutputs"))));
  }
  return parts;
}

const marker = /<!-- ((?:inputs|outputs|fields) of [^>]+?) -->\n[\s\S]*?<!-- end -->/g;

/** Makes "see RealServer" a link to its page. */
function linked(text: string, page: string, pages: ReadonlyMap<string, string>): string {
  return text.replace(/\b([Ss]ee) ([A-Z]\w+)/g, (all, see, name) => {
    const target = pages.get(name);
    return target === undefined ? all : `${see} [${name}](${relative(dirname(page), target)})`;
  });
}

/** Returns each page that has generated parts, by its path, as it should be. */
export function generatedPages(repository: string, schemas: Schemas): Map<string, string> {
  const parts = partsOf(repository, schemas);
  const components = ["DrCluster", "NatCluster"];
  const pages = new Map([
    ["Connection", "docs/connection.md"],
    ...[...schemas.kinds.map(({ kind }) => kind), ...components].map(
      (kind) => [kind, `docs/resources/${fileOf(kind)}.md`] as const,
    ),
  ]);
  const generated = new Map<string, string>();
  for (const page of globSync("docs/**/*.md", { cwd: repository }).sort()) {
    const before = readFileSync(join(repository, page), "utf8");
    const after = before.replace(marker, (_, name: string) => {
      const part = parts.get(name);
      if (part === undefined) throw new Error(`${page}: nothing generates the "${name}"`);
      const link = (text: string) => linked(text, page, pages);
      const tables = part.map(({ head, rows }) =>
        printTable({ head, rows: rows.map((row) => row.map(link)) }),
      );
      return [`<!-- ${name} -->`, ...tables, "<!-- end -->"].join("\n\n");
    });
    if (after.includes("<!-- end -->")) generated.set(page, after);
  }
  return generated;
}
