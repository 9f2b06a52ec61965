import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  hashProse,
  markdownProse,
  type Prose,
  sentencesOf,
  typescriptProse,
  wordsOf,
} from "../../support/prose.js";

const repository = join(__dirname, "../../..");

/** The files whose prose is held to the rules: documents, and comments of code. */
const checked = [
  "README.md",
  "AGENTS.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "docs/**/*.md",
  "test/*/README.md",
  "index.ts",
  "examples/**/*.{sh,mjs}",
  "{cli,rollback,stacks,providers,src,policy}/**/*.{ts,sh,awk,service,pl,py}",
  "scripts/**/*.{mjs,mts}",
  "{clusters.js,knip.jsonc,vitest.config.mts,.shellcheckrc,.editorconfig,.gitignore,.ci/run}",
  "{.,policy,.github/**,examples/**,test/bench/**}/*.{yml,yaml}",
  "examples/**/.*.yml",
  "test/**/*.{ts,mts,cjs,sh,awk,py}",
];

const proseOf: Readonly<Record<string, (source: string) => Prose[]>> = {
  md: markdownProse,
  ts: typescriptProse,
  js: typescriptProse,
  jsonc: typescriptProse,
  mts: typescriptProse,
  mjs: typescriptProse,
  cjs: typescriptProse,
  sh: hashProse,
  awk: hashProse,
  py: hashProse,
  pl: hashProse,
  service: hashProse,
  yml: hashProse,
  yaml: hashProse,
  shellcheckrc: hashProse,
  editorconfig: hashProse,
  gitignore: hashProse,
  run: hashProse,
};

const refused =
  /\b(nobody|somebody|whoever|whosever|lest|judge|judged|judges|judging|(go|goes|going|gone|went) back)\b/i;
const mostWords = 30;

const findings = (file: string, source: string): string[] => {
  const prose = proseOf[/[^./]*$/.exec(file)?.[0] ?? ""];
  if (prose === undefined) throw new Error(`${file}: its comments cannot be read; add its ending to proseOf`);
  return prose(source)
    .flatMap(sentencesOf)
    .flatMap(({ line, text }) => {
      const word = refused.exec(text)?.[0];
      const count = wordsOf(text).length;
      return [
        ...(word === undefined ? [] : [`${file}:${line}: "${word}" is refused: ${text}`]),
        ...(count <= mostWords ? [] : [`${file}:${line}: ${count} words, at most ${mostWords}: ${text}`]),
      ];
    });
};

const words = (count: number): string => Array.from({ length: count }, () => "word").join(" ");

describe("the language test", () => {
  test("sees a refused word and a long sentence, each with its line", () => {
    const source = `# Title\n\nFine. Then\nnobody answers.\n\n- short\n- ${words(31)}.\n\n| a | ${words(31)} |\n| - | - |\n| b | Whoever |`;
    expect(findings("x.md", source).map((finding) => finding.slice(0, 22))).toEqual([
      'x.md:3: "nobody" is re',
      "x.md:7: 31 words, at m",
      "x.md:9: 31 words, at m",
      'x.md:11: "Whoever" is ',
    ]);
  });

  test("takes no code, target of a link or neighbouring text for words", () => {
    const source = [
      `${words(29)} [word](https://example.com/nobody) \`nobody here\``,
      "continues.\n",
      `- ${words(20)}`,
      `- ${words(20)}\n`,
      `| ${words(20)} | ${words(20)} |\n`,
      `\`\`\`sh\n# nobody ${words(31)}\n\`\`\`\n`,
      `${words(20)}, e.g. ${words(9)}. ${words(20)}: \`code\`. \`code\` ${words(20)}.`,
    ].join("\n");
    expect(findings("x.md", source)).toEqual([
      `x.md:1: 31 words, at most 30: ${words(30)} \uFFFC continues.`,
    ]);
  });

  test("reads comments of code, not its strings", () => {
    const ts = `const a = "// nobody"; // somebody\n\n/**\n * Fine.\n * @example\n * nobody\n */\n// fine\n// - lest\n`;
    expect(findings("x.ts", ts).map((finding) => finding.slice(0, 16))).toEqual([
      'x.ts:1: "somebod',
      'x.ts:9: "lest" i',
    ]);
    expect(findings("x.sh", "#!/bin/sh nobody\n# fine\n# whoever\nx=nobody # lest\n")).toHaveLength(2);
  });
});

test("prose has no refused word and no sentence above 30 words", () => {
  for (const pattern of checked) expect(globSync(pattern, { cwd: repository }), pattern).not.toEqual([]);
  const files = [...new Set(globSync(checked, { cwd: repository }))].sort();
  for (const one of ["Pulumi.yaml", "examples/ci/.gitlab-ci.yml", ".github/workflows/check.yml", ".ci/run"])
    expect(files).toContain(one);
  expect(files.flatMap((file) => findings(file, readFileSync(join(repository, file), "utf8")))).toEqual([]);
});
