import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { parseClusters } from "../../stacks/config.js";

const repository = join(__dirname, "../..");
const documents = globSync(["README.md", "AGENTS.md", "docs/*.md"], { cwd: repository });
const sources = globSync("{providers,stacks}/*.ts", { cwd: repository });
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
  // all in one program, each under a name of its own in the repository, from where the package finds itself
  const files = new Map(
    blocks.map(({ code }, i) => [
      join(repository, `example-${i}.ts`),
      `import * as lvs from "pulumi-lvs";\n${code}\nexport type Used = typeof lvs;\n`,
    ]),
  );
  const { config } = ts.readConfigFile(join(repository, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, repository);
  const host = ts.createCompilerHost({ ...options, noUnusedLocals: false });
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name) ?? readFile(name);
  host.getSourceFile = (name, version, ...rest) => {
    const text = files.get(name);
    return text === undefined
      ? getSourceFile(name, version, ...rest)
      : ts.createSourceFile(name, text, version);
  };
  const program = ts.createProgram([...files.keys()], { ...options, noUnusedLocals: false }, host);
  const mistakes = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const at = blocks[[...files.keys()].indexOf(file?.fileName ?? "")]?.place;
    return `${at}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
  expect(mistakes).toEqual([]);
}, 30_000);

test("every example of a configuration is right", () => {
  // Pulumi reads YAML by it
  const { load } = createRequire(require.resolve("@pulumi/pulumi"))("js-yaml");
  const examples = [
    ...documents.flatMap((file) => blocksOf(file, /^```yaml\n([\s\S]*?)^```$/gm)),
    ...globSync("Pulumi.*.yaml", { cwd: repository }).map((place) => ({ place, code: textOf(place) })),
  ];
  expect(examples.length).toBeGreaterThanOrEqual(5);
  for (const { place, code } of examples)
    expect(parseClusters(load(code).config["lvs:clusters"]), place).toHaveProperty("clusters");
});
