import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { common, sharing } from "../../../providers/engine/inputs.js";
import type { Row, Schema } from "../../../scripts/docs/tables.mts";
import { connection } from "../../../src/ssh/connection.js";
import { clusters } from "../../../stacks/cluster/schema.js";
import { definitions } from "../../support/fake/definitions.js";

const repository = join(__dirname, "../../..");
const schemas = { kinds: [...definitions.values()], common, sharing, connection, clusters };
const kinds = schemas.kinds.map(({ kind }) => kind);
const pageOf = (kind: string) =>
  join(repository, "docs/resources", `${kind.replace(/(?<!^)[A-Z]/g, (c) => `-${c}`).toLowerCase()}.md`);

test("each generated part of docs is as `npm run docs` writes it", async () => {
  const { generatedPages } = await import("../../../scripts/docs/pages.mts");
  const pages = generatedPages(repository, schemas);
  expect(pages.size).toBeGreaterThanOrEqual(kinds.length + 2);
  for (const [page, text] of pages)
    expect(readFileSync(join(repository, page), "utf8"), `${page}: run npm run docs`).toBe(text);
});

test("docs/on-your-host.md names each file that scripts write", () => {
  const page = readFileSync(join(repository, "docs/on-your-host.md"), "utf8");
  const folder = join(repository, "src/shell");
  const scripts = globSync("**/*.{sh,awk}", { cwd: folder }).map((file) =>
    readFileSync(join(folder, file), "utf8"),
  );
  const names = scripts.flatMap((text) =>
    [...text.matchAll(/\$([SE]\/[a-z][\w.-]*)/g)].map(([, name = ""]) => name),
  );
  // These exist for a moment only.
  const fixed = [...new Set(names)].filter((name) => !/(\/new|\.new|\.)$/.test(name));
  expect(fixed.length).toBeGreaterThan(5);
  expect(fixed.filter((name) => !page.includes(`\`${name}\``) && !page.includes(`\`${name}/\``))).toEqual([]);
  const units = globSync("**/*.service", { cwd: folder }).map((file) => file.split("/").at(-1));
  expect(units.filter((name) => !page.includes(`/etc/systemd/system/${name}\``))).toEqual([]);
});

describe("the page of", () => {
  test.each([...kinds, "DrCluster", "NatCluster"])("%s has every part in its order", (kind) => {
    expect(existsSync(pageOf(kind))).toBe(true);
    const text = readFileSync(pageOf(kind), "utf8");
    const parts = text.match(/^(#{1,2} .*|```ts|<!-- inputs of .*)$/gm);
    expect(parts?.map((part) => part.replace("on the hosts", "on the host"))).toEqual([
      `# ${kind}`,
      "```ts",
      "## Inputs",
      `<!-- inputs of ${kind} -->`,
      "## Outputs",
      "## Take over what exists",
      "## What runs on the host",
      "## Errors",
    ]);
  });

  test.each(
    [...definitions.values()]
      .filter(({ computed }) => computed)
      .map(({ kind, computed }) => [kind, computed?.names]),
  )("%s names its computed outputs %j", (kind, names) => {
    const text = readFileSync(pageOf(kind), "utf8");
    for (const name of names ?? []) expect(text).toMatch(new RegExp(`^\\| \`${name}\` +\\|`, "m"));
  });
});

describe("the doc comment of each field", () => {
  let rows: [of: string, row: Row][] = [];
  let identity: Set<string>;

  beforeAll(async () => {
    const { allRows } = await import("../../../scripts/docs/pages.mts");
    const { typesIn } = await import("../../../scripts/docs/doc-comments.mts");
    const all = allRows(schemas, typesIn(repository));
    const flat = (of: string, some: Row[]) => some.map((row): [string, Row] => [of, row]);
    rows = [
      ...[...all.kinds].flatMap(([kind, own]) => flat(kind, own)),
      ...flat("every resource", all.common),
      ...flat("Connection", all.connection),
      ...flat("DrCluster", all.dr),
      ...flat("NatCluster", all.nat),
    ];
    identity = new Set(
      schemas.kinds.flatMap(({ kind, key }) => Object.keys(key.shape).map((name) => `${kind}.${name}`)),
    );
  });

  const findings = (wrong: (row: Row, of: string) => boolean) =>
    rows.filter(([of, row]) => wrong(row, of)).map(([of, { name, comment }]) => `${of}.${name}: ${comment}`);

  test("has words for it", () => {
    expect(rows.length).toBeGreaterThan(100);
    expect(findings(({ text }) => text === "")).toEqual([]);
  });

  test("tells the default of an optional one", () => {
    expect(findings(({ isRequired, fallback }) => !isRequired && fallback === "")).toEqual([]);
  });

  test("tells the default that the schema has", () => {
    const isSimple = (value: unknown) => ["number", "boolean", "string"].includes(typeof value);
    expect(
      findings(
        ({ fallback, schema }) => isSimple(schema.default) && !fallback.includes(String(schema.default)),
      ),
    ).toEqual([]);
  });

  test("tells its range", async () => {
    const { alternatives } = await import("../../../scripts/docs/tables.mts");
    const numbers = (schema: Schema): Schema[] =>
      alternatives(schema).flatMap((one) => [one, ...(one.items ? numbers(one.items) : [])]);
    expect(
      findings(({ comment, schema }) =>
        numbers(schema).some(({ minimum, maximum = Number.MAX_SAFE_INTEGER }) => {
          if (minimum === undefined || maximum === Number.MAX_SAFE_INTEGER) return false;
          const ranges = [...comment.matchAll(/(?<![\w.])(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)\b/g)].map(
            ([, low, high]) => [Number(low), Number(high)],
          );
          // 0 often has a meaning of its own: "1-65535, 0: every port".
          const has = ([low, high]: number[]) =>
            high === maximum && (low === minimum || (minimum === 0 && low === 1 && /\b0\b/.test(comment)));
          return !ranges.some(has);
        }),
      ),
    ).toEqual([]);
  });

  test("tells whether a change replaces the resource", () => {
    expect(
      findings(
        ({ name, comment }, of) =>
          kinds.includes(of) && /A change replaces\./.test(comment) !== identity.has(`${of}.${name}`),
      ),
    ).toEqual([]);
  });
});
