import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { agent, evaluateProgram } from "../../../src/shell/agent.js";
import { refusals, refusalVariables } from "../../../src/shell/refusals.js";
import { checkFormsVariable, healthCheck } from "../../../src/values/health-check.js";

const repository = join(__dirname, "../../..");

/** Lines of our sources that have a match, as `FILE: MATCH`. */
const found = (pattern: RegExp, files = "src/**/*.{ts,sh}"): string[] =>
  globSync(files, { cwd: repository })
    .sort()
    .flatMap((file) =>
      [...readFileSync(join(repository, file), "utf8").matchAll(pattern)].map(([text]) => `${file}: ${text}`),
    );

// dash's echo makes tabs and line breaks of what others wrote with backslashes
test("no shell text echoes a value: printf '%s\\n' prints it as it is", () => {
  const echo = /\becho\s+(?=['"$\\`A-Za-z0-9%-])[^\n;|&>]*/g;
  expect(found(echo).filter((line) => /echo.*[$\\"`]/.test(line))).toEqual([]);
  // the test sees one
  expect([...'{ echo "$1" >&2; }'.matchAll(echo)].map(([text]) => text)).toEqual(['echo "$1" ']);
});

test("no file of TypeScript has shell text but argument vectors", () => {
  const shell =
    /\bif \[|; then\b|; do\b|; done\b|\besac\b|2>&1|>&2|\$\((?!\{)|\btrap '|<\/dev\/null|<<'|\bprintf '|["'`]exec |\(\) \{`/g;
  expect(found(shell, "{src,providers,stacks,rollback,cli,policy}/**/*.ts")).toEqual([
    // what is around the steps of a script
    "src/host/script.ts: <<'",
    "src/host/script.ts: () {`",
    "src/host/script.ts: </dev/null",
    // before there is a connection that has the functions
    'src/ssh/open-shell.ts: "exec ',
    'src/ssh/open-shell.ts: "exec ',
    "src/ssh/open-shell.ts: printf '",
  ]);
  // the test sees it
  expect('`if [ -e "$(id)" ]; then`'.match(shell)).toEqual(["if [", "$(", "; then"]);
});

test("functions and programs end with codes above 1 by the names of the one list, and each has its own number", () => {
  const fixed = /\b(return|exit) \(*([2-9]|1\d)\d*|\bexit \([^)]*\? *([2-9]|1\d)/g;
  expect(found(fixed, "src/**/*.{sh,awk}")).toEqual([]);
  const named = found(/\b(return|exit) "\$[A-Z_]+"|\bexit [A-Z_]+\b/g, "src/**/*.{sh,awk}").map(
    (line) => /[A-Z_]+(?="?$)/.exec(line)?.[0] ?? "",
  );
  const known = Object.keys(refusalVariables);
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
  expect(known.filter((name) => !named.includes(name))).toEqual(["NOT_BEGUN"]);
  expect(new Set(Object.values(refusals)).size).toBe(known.length);
  // the test sees them
  expect("return 2; exit 1 || exit 0 || exit 91; END { exit (isShared ? 9 : 0) }".match(fixed)).toEqual([
    "return 2",
    "exit 91",
    "exit (isShared ? 9",
  ]);
});

test("the seconds of every sleep are a variable, so that tests wait shortly", () => {
  const fixed = /\bsleep\s+[\d.]+/g;
  expect(found(fixed)).toEqual([]);
  // the test sees them
  expect("sleep 0.1 || sleep 1".match(fixed)).toEqual(["sleep 0.1", "sleep 1"]);
});

// The rounds and tries of loops may be numbers, because what they sleep for is a variable.
test("only these commands have a fixed number of seconds to wait", () => {
  const fixed = /\b(?:arping|iptables|timeout) [^\n|;]*?-[wk] \d+/g;
  expect(found(fixed)).toEqual([
    // It shows only whether timeout has the option.
    "src/shell/health/check-file.sh: timeout -k 1",
    // Another iptables holds its lock for a moment.
    ...Array.from({ length: 3 }, () => "src/shell/health/vip-path.sh: iptables -w 5"),
    // It sends three requests, one a second.
    "src/shell/lib/probe.sh: arping -b -c 3 -w 4",
  ]);
});

test("the format of a printf is never a value", () => {
  expect(found(/\bprintf\s+"?\$/g)).toEqual([]);
});

test("no text is evaluated but the prelude, which is ours", () => {
  expect(found(/\beval\b[^\n]*/g)).toEqual(['src/shell/lib/opening.sh: eval "$prelude"']);
  expect(agent).not.toMatch(/\beval\b/);
});

test("the evaluation has no quote, which would end it where the shell reads it", () => {
  expect(evaluateProgram).not.toContain("'");
  expect(agent.split("evaluate_awk='")).toHaveLength(2);
});

// its name is its user's choice: in stat it may hold line ends, and bash reads each line of status from a file written anew
test("no shell text reads what the kernel says of a process line by line", () => {
  const reads = /[^\n]*<"?[$/][^\n"<>|;]*\/(?:stat|status)\b[^\n]*/g;
  // of its own, which has the number before the name
  expect(found(reads)).toEqual(["src/shell/lib/script.sh:     read -r P rest </proc/self/stat"]);
  expect('  done <"$1/status"'.match(reads)).toHaveLength(1);
});

test("a curl of many checks uses each field of a check that it can do", () => {
  const text = ["plan", "requests", "results"]
    .map((name) => readFileSync(join(repository, `src/shell/health/${name}.awk`), "utf8"))
    .join("");
  // Checks with these have a process of their own.
  const alone = ["query", "command", "vip"];
  const fields = Object.keys(healthCheck.shape).filter((name) => !alone.includes(name));
  expect(fields.filter((name) => !text.includes(`field["${name}"]`))).toEqual([]);
});

test("the evaluation reads each field of a check in a form of its own, which awk and the shell leave as it is", () => {
  const { CHECK_FORMS } = checkFormsVariable;
  expect(CHECK_FORMS).not.toMatch(/[\\']/);
  expect(Object.fromEntries(CHECK_FORMS.split("\t").map((field) => field.split("=")))).toEqual({
    type: "^(http|https|tcp|dns|command)$",
    port: "port",
    path: "^/[^ ]*$",
    body: "",
    status: "^[0-9]+(,[0-9]+)*$",
    host: "^[A-Za-z0-9._-]+$",
    verify: "^(yes|no)$",
    query: "^[A-Za-z0-9._-]+$",
    command: "",
    through: "^(rip|vip)$",
    vip: "address",
  });
});
