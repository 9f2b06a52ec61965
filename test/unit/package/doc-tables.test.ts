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

describe("docs/on-your-host.md", () => {
  const page = readFileSync(join(repository, "docs/on-your-host.md"), "utf8");
  const folder = join(repository, "src/shell");
  const codeOf = (part: string) =>
    globSync(`${part}/*.{sh,awk}`, { cwd: folder })
      .map((file) => readFileSync(join(folder, file), "utf8").replaceAll(/^\s*#.*/gm, ""))
      .join("\n");
  const code = codeOf("**");
  /** Variables of one letter are paths: `V=$K/pulumi-lvs.d`. */
  const letters = new Map(
    [...code.matchAll(/(?:^|\s)([A-Z])=(\$\w+\/[^\s"';]+)/gm)].map(([, name = "", path = ""]) => [
      name,
      path,
    ]),
  );
  const expanded = (text: string): string => {
    const next = text
      .replaceAll("$ROOT", "")
      .replaceAll(/\$([A-Z])\b/g, (variable, name) => letters.get(name) ?? variable);
    return next === text ? text : expanded(next);
  };
  /** Returns what a pattern finds. What ends so exists for a moment only. */
  const all = (text: string, pattern: RegExp) =>
    [...new Set([...text.matchAll(pattern)].map(([, name = ""]) => name))].filter(
      (name) => !/(^|[./])(new|old|test)$/.test(name),
    );

  test("names each file that scripts write", () => {
    const text = page.replaceAll(/`([SE])(?=\/)/g, (_, name) => `\`${expanded(`$${name}`)}`);
    const paths = all(expanded(code), /(\/(?:etc|run)\/[\w./-]*pulumi-lvs[\w./-]*\w)(?![\w./-]*\$)/g);
    expect(paths.length).toBeGreaterThan(20);
    const hidden = paths.filter((path) => !text.includes(`\`${path}\``) && !text.includes(`\`${path}/\``));
    // The page names the links with their units.
    expect(hidden.filter((path) => !/\/multi-user\.target\.wants\//.test(path))).toEqual([]);
    const units = globSync("**/*.service", { cwd: folder }).map((file) => file.split("/").at(-1));
    expect(units.filter((name) => !page.includes(`/etc/systemd/system/${name}\``))).toEqual([]);
  });

  test("names the endings of the files of checks, and has no other of them", () => {
    const endings = all(codeOf("health"), /"(?:[^"\n]*\$[^"\n]*)?\.([a-z]+)"/g);
    const [, table = ""] = /### Files of checks([\s\S]*?)\n## /.exec(page) ?? [];
    const named = [...table.matchAll(/^\| `[^`]*\.([a-z]+)` /gm)].map(([, ending]) => ending);
    expect(endings.filter((name) => !page.includes(`.${name}\``) && !page.includes(`.${name}/\``))).toEqual(
      [],
    );
    expect(named.filter((name = "") => !endings.includes(name))).toEqual([]);
    expect(named.length).toBeGreaterThan(5);
  });

  test("has as many kinds of files as there are: a new one needs a reason", () => {
    const [, files = ""] = /## Files([\s\S]*?)\n## /.exec(page) ?? [];
    const rows = [...files.matchAll(/^\| (`.*?`) +\|/gm)].flatMap(([, names = ""]) => names.split(", "));
    expect(rows).toHaveLength(36);
  });
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
