import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { parseClusters } from "../../../stacks/config.js";

const repository = join(__dirname, "../../..");
const documents = globSync(["README.md", "AGENTS.md", "docs/**/*.md"], { cwd: repository });
const sources = globSync("{providers,stacks}/**/*.ts", { cwd: repository });
const textOf = (file: string) => readFileSync(join(repository, file), "utf8");

/** Blocks of code in a document, or after `@example` in a comment, each with the place where it begins. */
function blocksOf(file: string, pattern: RegExp): { place: string; code: string }[] {
  const text = textOf(file);
  return [...text.matchAll(pattern)].map(({ index, 1: code = "" }) => ({
    place: `${file}:${text.slice(0, index).split("\n").length}`,
    code: code.replace(/^ \* ?/gm, ""),
  }));
}

test("every example of TypeScript compiles against the package as it is published", () => {
  const blocks = [
    ...documents.flatMap((file) => blocksOf(file, /^```ts\n([\s\S]*?)^```$/gm)),
    ...sources.flatMap((file) => blocksOf(file, /^ \* @example\n([\s\S]*?)^ \*\/$/gm)),
  ];
  expect(blocks.length).toBeGreaterThanOrEqual(20);
  // each is a file of its own in the repository, from where the package finds itself by name
  const names = blocks.map((_, i) => join(repository, `example-${i}.ts`));
  const texts = blocks.map(({ code }) => `import * as lvs from "pulumi-lvs";\n${code}`);
  const { config } = ts.readConfigFile(join(repository, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, repository);
  options.noUnusedLocals = false;
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (name) => names.includes(name) || fileExists(name);
  host.readFile = (name) => texts[names.indexOf(name)] ?? readFile(name);
  const mistakes = ts
    .getPreEmitDiagnostics(ts.createProgram(names, options, host))
    .map(({ file, messageText }) => {
      const place = blocks[names.indexOf(file?.fileName ?? "")]?.place;
      return `${place}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
  expect(mistakes).toEqual([]);
});

test("every example of a configuration is right", () => {
  // what Pulumi's SDK reads YAML by
  const { load } = createRequire(require.resolve("@pulumi/pulumi"))("js-yaml");
  const examples = [
    ...documents.flatMap((file) => blocksOf(file, /^```yaml\n([\s\S]*?)^```$/gm)),
    ...globSync("Pulumi.*.yaml", { cwd: repository }).map((place) => ({ place, code: textOf(place) })),
  ];
  expect(examples.length).toBeGreaterThanOrEqual(5);
  for (const { place, code } of examples)
    expect(parseClusters(load(code).config["lvs:clusters"]), place).toHaveProperty("clusters");
});
