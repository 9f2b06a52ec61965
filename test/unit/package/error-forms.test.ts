import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const repository = join(__dirname, "../../..");

/** An error that the code makes: its class, and the beginning of its message. */
interface Made {
  readonly file: string;
  readonly made: string;
  readonly message: string;
}

/** The argument that is the message, of classes that have others before it. */
const messageAt: Readonly<Record<string, number>> = { PulumiError: 1 };

/** Returns the beginnings of a message: of each alternative, until the first value. */
function beginnings(node: ts.Node | undefined): string[] {
  if (node === undefined) return [""];
  if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse].flatMap(beginnings);
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node)) return [node.head.text || node.getText()];
  // The lines of a message.
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression))
    if (ts.isArrayLiteralExpression(node.expression.expression))
      return beginnings(node.expression.expression.elements[0]);
  // It is found by itself.
  if (/\.of\(/.test(node.getText())) return [];
  return [`(${node.getText()})`];
}

/** Returns the errors that a file makes by `new`, and what it writes before `on HOST: CAUSE` by `of`. */
function errorsOf(file: string, source: string): Made[] {
  const found: Made[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node)) {
      const made = node.expression.getText().replace(/^pulumi\./, "");
      const thrown = ts.isThrowStatement(node.parent) || /Error$/.test(made);
      if (thrown)
        for (const message of beginnings(node.arguments?.[messageAt[made] ?? 0]))
          found.push({ file, made, message });
    }
    const callee = ts.isCallExpression(node) && node.expression;
    if (callee && ts.isPropertyAccessExpression(callee) && callee.name.text === "of")
      if (/^(error|trouble)$/.test(callee.expression.getText()))
        for (const message of beginnings((node as ts.CallExpression).arguments[0]))
          found.push({ file, made: "of", message });
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true));
  return found;
}

/** Errors whose message is a cause. What catches them writes `cannot VERB THING` before it. */
const causes: Readonly<Record<string, string>> = {
  HostError: "`of` writes the beginning",
  NotRetriedError: "a HostError",
  NotReachedError: "a HostError",
  OutcomeUnknownError: "a HostError",
  RollbackFailedError: "a HostError",
  TimedOutError: "a HostError",
  Kind: "the class of the error that is caught, which has its beginning",
  FactError: "factFailure writes `cannot read FACT`",
  ReportError: "unexpectedOutput makes a HostError of it",
  HalfDoneError: "it has the message of the error that is caught",
  UnsupportedTypeError: "login says which key it cannot use",
  OnlySha1Error: "login says what to do, and has the host",
  NothingToRollBackError: "its constructor writes `cannot roll back`",
  DirectorDown: "the rules of cli/down/rules.ts begin with `cannot update`",
  Refused: "cli/failover writes `cannot move`, `cannot begin` or `cannot go on` before it",
  NotMoved: "cli/failover writes `cannot move` before it",
  Stopped: "it says where a rolling run has stopped, and what to do there",
  UpdateFailed: "it is not printed, because Pulumi has printed why",
};

/** Other messages, by file and beginning. */
const exceptions: Readonly<Record<string, string>> = {
  "cli/commands.ts: `": "the cause of `the verification failed`",
  "providers/engine/declarations.ts: (twice(": "refuseTwice writes `cannot declare`",
  "providers/provider.ts: (problem)": "oldNode writes `cannot run`",
  "providers/service-probe/index.ts: `${idOf(key)} failed`": "the result of a probe, with its URL",
  "providers/service-probe/replies.ts: unexpected line": "a HostError is made of it",
  "rollback/pulumi-cli.ts: (": "the words of Pulumi",
  "src/ssh/config-file.ts: files include": "the cause of `cannot read` the SSH configuration",
  "src/ssh/read-file.ts: ": "the cause of `cannot read` a file",
  "src/values/sysctl-name.ts: unexpected output": "the cause of `cannot read` a fact",
  "stacks/config.ts: (missing(": "it writes `cannot read the clusters`",
  "stacks/config.ts: (lines": "it writes `cannot read the clusters`",
  "stacks/node-version.ts: (problem)": "oldNode writes `cannot run`",
};

/** Parsers of facts: their words are the cause of `cannot read FACT`. */
const isParser = ({ file }: Made): boolean => file.startsWith("src/facts/");

const isKnown = ({ file, message }: Made, exception: string): boolean =>
  `${file}: ${message}`.startsWith(exception);

const made = globSync("{src,providers,stacks,cli,rollback,policy}/**/*.ts", { cwd: repository })
  .sort()
  .flatMap((file) => errorsOf(file, readFileSync(join(repository, file), "utf8")));

describe("the message of an error", () => {
  test("is found where the code makes it", () => {
    const source = [
      `throw new Error(\`$${"{a}"} is wrong\`);`,
      'throw new PulumiError(2, b ? "cannot read" : "no");',
      'throw error.of("cannot go");',
      'const e = new pulumi.RunError(["cannot", c].join());',
    ].join("\n");
    expect(errorsOf("x.ts", source).map((one) => `${one.made}: ${one.message}`)).toEqual([
      `Error: \`$${"{a}"} is wrong\``,
      "PulumiError: cannot read",
      "PulumiError: no",
      "of: cannot go",
      "RunError: cannot",
    ]);
    expect(made.length).toBeGreaterThan(150);
  });

  test("begins with `cannot`, or is the cause in another one that does", () => {
    const others = made.filter(
      (one) =>
        !/^cannot /.test(one.message) &&
        !(one.made in causes) &&
        !isParser(one) &&
        !Object.keys(exceptions).some((exception) => isKnown(one, exception)),
    );
    expect(others).toEqual([]);
  });

  test("is a known exception only as long as the code makes it", () => {
    const classes = Object.keys(causes).filter((name) => made.every((one) => one.made !== name));
    const messages = Object.keys(exceptions).filter(
      (exception) => !made.some((one) => isKnown(one, exception)),
    );
    expect([...classes, ...messages]).toEqual([]);
  });
});
