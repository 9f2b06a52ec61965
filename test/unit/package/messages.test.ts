import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

const repository = join(__dirname, "../../..");
const read = (file: string): string => readFileSync(join(repository, file), "utf8");

/** A text with a blank, which a person may see. */
interface Message {
  readonly file: string;
  readonly text: string;
}

/** Returns the strings of TypeScript that have a blank, without the values in them. */
const messagesOf = (file: string, source: string): Message[] => {
  const found: Message[] = [];
  const visit = (node: ts.Node): void => {
    const isText =
      ts.isStringLiteralLike(node) ||
      ts.isTemplateHead(node) ||
      ts.isTemplateMiddle(node) ||
      ts.isTemplateTail(node);
    if (isText && node.text.includes(" ")) found.push({ file, text: node.text });
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true));
  return found;
};

/** Returns the strings with a blank on the lines of shell and awk that print an error or set one. */
const printedBy = (file: string, source: string): Message[] =>
  source
    .split("\n")
    .filter((line) => />&2|\bunable |\breason |\b(?:error|text) ?=/.test(line) && !/^\s*#/.test(line))
    .flatMap((line) => line.replaceAll(/\$\([^()]*\)/g, "").match(/'[^']* [^']*'|"[^"]* [^"]*"/g) ?? [])
    .map((text) => ({ file, text }));

const shell = globSync("src/shell/**/*.{sh,awk}", { cwd: repository });
const messages = [
  ...globSync(["{src,providers,stacks,rollback,cli,policy}/**/*.ts"], { cwd: repository }).flatMap((file) =>
    messagesOf(file, read(file)),
  ),
  ...shell.flatMap((file) => printedBy(file, read(file))),
];

const matching = (pattern: RegExp, among: readonly Message[] = messages): string[] =>
  among.filter(({ text }) => pattern.test(text)).map(({ file, text }) => `${file}: ${text}`);

test("the messages of the code are found", () => {
  expect(messages.length).toBeGreaterThan(800);
  const source =
    'const a = ["one", "two words"]; throw new Error(`$' + "{a} is wrong; mend it`); // no message";
  expect(messagesOf("x.ts", source).map(({ text }) => text)).toEqual(["two words", " is wrong; mend it"]);
});

test("a message says what a value must be, and uses no word that comments may not use", () => {
  const refused =
    /\b(nobody|somebody|everybody|whoever|whosever|lest)\b|\bis none of\b|(?<!there) is no (?!longer)/i;
  expect(matching(refused)).toEqual([]);
  expect(matching(refused, [{ file: "x", text: "x is no address" }])).toHaveLength(1);
});

test("no message names a function of the shell", () => {
  const functions = shell.flatMap((file) =>
    [...read(file).matchAll(/^([a-z]+_[a-z_]+)\(\)/gm)].map(([, name]) => name),
  );
  expect(functions.length).toBeGreaterThan(100);
  const named = new RegExp(`\\b(${functions.join("|")})\\b`);
  // Its lines are those of scripts.
  const isScript = ({ file }: Message) => file === "src/host/script.ts";
  expect(
    matching(
      named,
      messages.filter((one) => !isScript(one)),
    ),
  ).toEqual([]);
  expect(matching(named, messages.filter(isScript))).not.toEqual([]);
});
